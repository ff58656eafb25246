import semver from "semver";
import { z } from "zod";
import { StepError, messageOf } from "../../common/errors";
import { parseJson } from "../../common/json";
import { userCommand } from "../../common/user-command";
import { ETCDCTL } from "../../render/etcdctl";
import type { Remote } from "../ssh/remote";
import { describeUnreadable, versionOfImage } from "./component-upgrade";
import { SNAPSHOTS } from "../../render/backup/save-snapshot";
import { IGNORE_FAILURE } from "./etcdctl";
import type { ManifestTexts } from "./manifest-texts";

const STEP = "changing etcd";
const SECONDS = 60;

/** Manifests of a control plane with different versions of etcd. */
export interface EtcdChange {
  from: ManifestTexts;
  to: ManifestTexts;
}

const statusSchema = z.array(z.object({ Status: z.object({ version: z.string() }) }));

/** Returns the version of etcd that a control plane's manifests run; undefined without an etcd. */
export function etcdVersionIn(manifests: ManifestTexts): string | undefined {
  return versionOfImage(/^\s*(?:- )?image: (\S+)\s*$/m.exec(manifests.get("etcd") ?? "")?.[1]);
}

/** Describes why etcd cannot read data that the etcd of other manifests has changed; undefined if it can. */
export function describeEtcdChange({ from, to }: EtcdChange): string | undefined {
  return describeUnreadable({ from: etcdVersionIn(from), to: etcdVersionIn(to) });
}

/**
 * Whether etcd's data has the minor version of the manifests that run. etcd changes it once all members run that
 * version, so the only member changes it when it starts. Members that do not answer are not counted.
 * @returns false if etcd does not answer
 */
export async function isDataChanged(machine: Remote, manifests: ManifestTexts, signal: AbortSignal): Promise<boolean> {
  const script = `${IGNORE_FAILURE}\n${ETCDCTL}\netcdctl endpoint status --cluster -w json 2>/dev/null`;
  const stdout = await machine.run(script, { step: "reading etcd's versions", signal, timeout: SECONDS }).then(
    (result) => result.stdout,
    () => "",
  );
  signal.throwIfAborted();
  const statuses = statusSchema.safeParse(parseJson(stdout)).data ?? [];
  const version = semver.parse(etcdVersionIn(manifests));
  if (!version) return false;
  const first = `${version.major}.${version.minor}.0`;
  return statuses.length > 0 && statuses.every(({ Status }) => semver.gte(Status.version, first));
}

/**
 * Refuses an etcd that would not start, because it cannot read the data of the one that runs.
 * @throws StepError
 */
export async function assertEtcdReadable(machine: Remote, change: EtcdChange, signal: AbortSignal): Promise<void> {
  const unreadable = describeEtcdChange(change);
  if (unreadable === undefined || !(await isDataChanged(machine, change.from, signal))) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `${unreadable}; no component was changed on this machine`,
    action: "set `kubernetes.version` to the newer version again, and continue the upgrade",
  });
}

/** Returns the error of a change after which no etcd may be able to read the data. */
export function lostEtcdError(machine: Remote, error: unknown, unreadable: string): StepError {
  const failure = error instanceof StepError ? error.failure : { step: STEP, cause: messageOf(error) };
  return new StepError({
    ...failure,
    machine: machine.label,
    cause: `${failure.cause}\netcd cannot return to its previous version: ${unreadable}`,
    action:
      "fix the cause, then run `pulumi up` again; if etcd does not start, restore the snapshot from before the " +
      `upgrade in ${SNAPSHOTS} with \`etcdutl snapshot restore\`, or a backup with \`${userCommand("restore")}\``,
  });
}
