import semver from "semver";
import { z } from "zod";
import { parseJson } from "../../common/json";
import { optional } from "../../common/optional";
import { ETCDCTL } from "../../render/etcdctl";
import type { Remote } from "../ssh/remote";
import { parseMembers } from "./etcd-status";
import { IGNORE_FAILURE } from "./etcdctl";

const SECONDS = 60;
const SEPARATOR = "--- report ---";
const MEGABYTE = 1_000_000;
/** Bytes: etcd's own default limit, at which it accepts no more writes. */
const QUOTA = 2 * 1024 * MEGABYTE;
const NEARLY_FULL = 0.8;
/** A database that is smaller than this is not worth a defragmentation. */
const LARGE = 200 * MEGABYTE;

export interface EtcdReport {
  members: { name: string; isHealthy: boolean }[];
  /** Oldest version of a member that answers: `3.6.8`. Absent if none reports it. */
  version?: string;
  /** Bytes of the largest database file, and what of it is in use. */
  databaseSize: number;
  databaseInUse: number;
  /** `NOSPACE`, `CORRUPT` */
  alarms: string[];
}

/** Reads etcd's members, database size and alarms through a control plane; undefined if etcd does not answer. */
export async function readEtcdReport(machine: Remote, signal: AbortSignal): Promise<EtcdReport | undefined> {
  const script = `${IGNORE_FAILURE}
${ETCDCTL}
etcdctl member list
echo '--- health ---'
etcdctl endpoint health --cluster 2>&1 || true
echo '${SEPARATOR}'
etcdctl endpoint status --cluster -w json 2>/dev/null || true
echo '${SEPARATOR}'
etcdctl alarm list`;
  const { stdout } = await machine.run(script, { step: "reading etcd's state", signal, timeout: SECONDS });
  return parseReport(stdout);
}

const statusSchema = z.array(
  z.object({ Status: z.object({ version: z.string().optional(), dbSize: z.number(), dbSizeInUse: z.number() }) }),
);

export function parseReport(output: string): EtcdReport | undefined {
  const [list = "", statuses = "", alarms = ""] = output.split(SEPARATOR);
  const members = parseMembers(list)?.map(({ name, isHealthy }) => ({ name, isHealthy }));
  if (!members) return undefined;
  const sizes = statusSchema.safeParse(parseJson(statuses)).data ?? [];
  const versions = sizes.flatMap(({ Status: { version } }) => (semver.valid(version) ? [version ?? ""] : []));
  const [largest] = sizes.map(({ Status }) => Status).sort((one, other) => other.dbSize - one.dbSize);
  return {
    members,
    ...optional({ version: versions.sort(semver.compare)[0] }),
    databaseSize: largest?.dbSize ?? 0,
    databaseInUse: largest?.dbSizeInUse ?? 0,
    alarms: [...new Set([...alarms.matchAll(/alarm: ?(\w+)/g)].map(([, alarm = ""]) => alarm))],
  };
}

/** `3 members, 3 healthy; database 24 MB, 12 MB of it in use` */
export function describeEtcd({ members, databaseSize, databaseInUse }: EtcdReport): string {
  const healthy = members.filter(({ isHealthy }) => isHealthy).length;
  const count = members.length === 1 ? "1 member" : `${members.length} members`;
  return `${count}, ${healthy} healthy; database ${megabytes(databaseSize)}, ${megabytes(databaseInUse)} of it in use`;
}

/** Returns etcd's problems, each with what an operator can do about it. */
export function etcdProblems({ members, databaseSize, databaseInUse, alarms }: EtcdReport): string[] {
  const dead = members.filter(({ isHealthy }) => !isHealthy);
  const majority = Math.floor(members.length / 2) + 1;
  const spare = members.length - dead.length - majority;
  const tolerated = spare > 0 ? `${spare} more may fail` : "no other may fail: writes would stop";
  const fragmented = databaseSize >= LARGE && databaseInUse < databaseSize / 2;
  const free = "run `etcdctl defrag` in etcd's pod, on one member after the other";
  return [
    ...dead.map(({ name }) => `etcd: member ${name || "without a name"} is unhealthy; ${tolerated}`),
    ...alarms.map((alarm) => `etcd: alarm ${alarm}; ${ALARMS[alarm] ?? "see etcd's log"}`),
    ...(databaseSize > QUOTA * NEARLY_FULL
      ? [`etcd: its database of ${megabytes(databaseSize)} is close to the limit of ${megabytes(QUOTA)}; ${free}`]
      : fragmented
        ? [`etcd: ${megabytes(databaseSize - databaseInUse)} of its database are free but not released; ${free}`]
        : []),
  ];
}

const ALARMS: Readonly<Record<string, string>> = {
  NOSPACE:
    "it accepts no writes: delete objects, run `etcdctl defrag` on each member, then `etcdctl alarm disarm` in its pod",
  CORRUPT: "its members differ: replace the control plane of the member that is wrong",
};

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
