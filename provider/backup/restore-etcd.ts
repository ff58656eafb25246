import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { settleAll } from "../../common/settle-all";
import { until } from "../../common/wait";
import { ETCD_DATA, MANIFESTS } from "../../render/component-paths";
import { readPodState } from "../host/static-pods";
import { readMembers } from "../kubeadm/etcd-status";
import { COMPONENTS } from "../kubeadm/manifest-texts";
import type { Remote } from "../ssh/remote";
import { ETCDUTL } from "../../render/backup/etcd-programs";
import { HELD, runOnMembers, type RestoredMember } from "./restored-member";

const MEMBER = `${ETCD_DATA}/member`;
const RESTORED = `${ETCD_DATA}/kubewright-restored`;
/** The data from before the restore. It exists only while a restore is in progress. */
const BEFORE = `${ETCD_DATA}/member.before-restore`;

/**
 * Revisions that are added, so that no client believes that it has seen the restored ones: a watch from before then
 * ends with 410 Gone, and the client lists again.
 */
const BUMP = 1_000_000_000;

const SECONDS = 600;
const STOP_SECONDS = 180;
const START_SECONDS = 180;

/**
 * Restores a snapshot beside a member's data, which stays as it is. A damaged snapshot and a kubelet that does not run
 * are found before anything is stopped. The previous data of an earlier restore is never deleted.
 * @param snapshot path on the machine
 * @param token of the new cluster of etcd, the same on all members
 */
export async function prepareData(
  { machine, name, peerUrl }: RestoredMember,
  { snapshot, members, token }: { snapshot: string; members: readonly RestoredMember[]; token: string },
  signal: AbortSignal,
): Promise<void> {
  const member = { name, peerUrl };
  const script = `set -e
umask 077
systemctl is-active --quiet kubelet || { echo "the kubelet does not run: start it" >&2; exit 1; }
rm -rf ${RESTORED}
[ ! -e ${BEFORE} ] || mv -T ${BEFORE} ${BEFORE}-$(date +%s)
${restoreCommand(member, { snapshot, cluster: members, token, folder: RESTORED })}`;
  await machine.run(script, {
    step: "restoring the snapshot beside etcd's data",
    signal,
    timeout: SECONDS,
    action: "nothing was changed in the cluster; free space below /var/lib/etcd, or use another backup",
  });
}

type Member = Pick<RestoredMember, "name" | "peerUrl">;

/** Returns the command that restores a snapshot for one member of a cluster of etcd into a folder. */
export function restoreCommand(
  { name, peerUrl }: Member,
  target: { snapshot: string; cluster: readonly Member[]; token: string; folder: string },
): string {
  const { snapshot, cluster, token, folder } = target;
  const members = cluster.map((member) => `${member.name}=${member.peerUrl}`).join(",");
  const revision = `--bump-revision ${BUMP} --mark-compacted`;
  return `${ETCDUTL} snapshot restore ${quote(snapshot)} ${revision} --name ${quote(name)} \\
  --initial-cluster ${quote(members)} --initial-cluster-token ${quote(token)} \\
  --initial-advertise-peer-urls ${quote(peerUrl)} --data-dir ${folder}`;
}

/** Removes the restored data that is not used, because it fills etcd's disk. */
export async function discardPreparedData(members: readonly RestoredMember[]): Promise<void> {
  await runOnMembers(members, "removing the restored data", `rm -rf ${RESTORED}`);
}

/** Stops etcd and everything that writes to it, on all control planes. */
export async function stopControlPlanes(members: readonly RestoredMember[], signal: AbortSignal): Promise<void> {
  const script = `set -e
mkdir -p ${HELD}
chmod 700 ${HELD}
for name in ${COMPONENTS.join(" ")}; do
  [ ! -f ${MANIFESTS}/$name.yaml ] || mv -fT ${MANIFESTS}/$name.yaml ${HELD}/$name.yaml
done`;
  const step = "stopping the control plane";
  await runOnMembers(members, step, script);
  await settleAll(members.map((member) => waitUntilStopped(member, step, signal)));
}

async function waitUntilStopped({ machine, name }: RestoredMember, step: string, signal: AbortSignal): Promise<void> {
  let running: string[] = [];
  await until(
    async () => {
      const states = await Promise.all(COMPONENTS.map((one) => readPodState(machine, `${one}-${name}`, signal)));
      running = states.flatMap((state) => state.running.map(({ container }) => container));
      return running.length === 0 || undefined;
    },
    {
      ...{ signal, timeout: STOP_SECONDS, patience: machine.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step,
          machine: machine.label,
          cause: `${running.join(", ")} did not stop within ${seconds} s`,
          action: "check that the kubelet runs: `systemctl status kubelet`",
        }),
    },
  );
}

/** A pattern for etcd's data folder that does not match the command line that contains it. */
const DATA_PATTERN = `${ETCD_DATA.slice(0, -1)}[${ETCD_DATA.slice(-1)}]`;

/**
 * Begins a script that exchanges etcd's data. It fails while an etcd uses the data: a container runtime that does not
 * answer reports no containers.
 */
const ASSERT_STOPPED = `set -e
running=$(grep -l -s -z -x -e '--data-dir=${DATA_PATTERN}' /proc/[0-9]*/cmdline || true)
[ -z "$running" ] || { echo "etcd still runs:" $running >&2; exit 1; }`;

/** Replaces the data of stopped members by the restored data. The previous data is kept beside it. */
export async function useRestoredData(members: readonly RestoredMember[]): Promise<void> {
  const script = `${ASSERT_STOPPED}
if [ ! -d ${RESTORED}/member ]; then
  [ -d ${BEFORE} ] && [ -d ${MEMBER} ] && exit 0
  echo "the restored data does not exist" >&2
  exit 1
fi
if [ ! -d ${BEFORE} ]; then
  if [ -d ${MEMBER} ]; then mv -T ${MEMBER} ${BEFORE}; else mkdir -m 700 ${BEFORE}; fi
fi
rm -rf ${MEMBER}
mv -T ${RESTORED}/member ${MEMBER}
rm -rf ${RESTORED}`;
  await runOnMembers(members, "replacing etcd's data", script);
}

/** Whether the data of a member was replaced. */
export async function hasPreviousData(members: readonly RestoredMember[]): Promise<boolean> {
  const script = `[ ! -d ${BEFORE} ] || echo replaced`;
  return (await runOnMembers(members, "reading etcd's data", script)).includes("replaced");
}

/** Returns to the data from before the restore. Members must be stopped. */
export async function usePreviousData(members: readonly RestoredMember[]): Promise<void> {
  const script = `${ASSERT_STOPPED}
rm -rf ${RESTORED}
[ -d ${BEFORE} ] || exit 0
rm -rf ${MEMBER}
mv -T ${BEFORE} ${MEMBER}`;
  await runOnMembers(members, "putting etcd's data back", script);
}

/** Removes the data from before the restore. */
export async function dropPreviousData(members: readonly RestoredMember[]): Promise<void> {
  await runOnMembers(members, "removing the previous data of etcd", `rm -rf ${BEFORE} ${RESTORED}`);
}

/** Keeps the data from before the restore under a name of its own, which no later restore uses. */
export async function keepPreviousData(members: readonly RestoredMember[]): Promise<void> {
  const script = `rm -rf ${RESTORED}; [ ! -d ${BEFORE} ] || mv -T ${BEFORE} ${BEFORE}-$(date +%s)`;
  await runOnMembers(members, "keeping the previous data of etcd", script);
}

/** Starts etcd on all control planes, and waits until as many members as are needed are healthy. */
export async function startEtcd(
  members: readonly RestoredMember[],
  needed: number,
  signal: AbortSignal,
): Promise<void> {
  const step = "starting etcd";
  await runOnMembers(members, step, releaseScript(["etcd"]));
  let healthy = 0;
  await until(
    async () => {
      const counts = await Promise.all(members.map(({ machine }) => countHealthy(machine, signal)));
      healthy = Math.max(...counts);
      return healthy >= needed || undefined;
    },
    {
      ...{ signal, timeout: START_SECONDS, patience: members[0]?.machine.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step,
          machine: members.map(({ machine }) => machine.label).join(", "),
          cause: `${healthy} of ${members.length} members are healthy after ${seconds} s`,
          action: "see /var/log/pods/*_etcd-*",
        }),
    },
  );
}

/** Returns how many members a control plane sees as healthy. */
async function countHealthy(machine: Remote, signal: AbortSignal): Promise<number> {
  const members = await readMembers(machine, signal).catch(() => undefined);
  signal.throwIfAborted();
  return members?.filter(({ isHealthy }) => isHealthy).length ?? 0;
}

/** Starts the API server, the controller manager and the scheduler; etcd too where it is still stopped. */
export async function startComponents(members: readonly RestoredMember[]): Promise<void> {
  const script = `${releaseScript(COMPONENTS)}
rmdir ${HELD} 2>/dev/null || true`;
  await runOnMembers(members, "starting the control plane", script);
}

function releaseScript(components: readonly string[]): string {
  return `set -e
for name in ${components.join(" ")}; do
  [ ! -f ${HELD}/$name.yaml ] || mv -fT ${HELD}/$name.yaml ${MANIFESTS}/$name.yaml
done`;
}
