import { StepError } from "../../common/errors";
import { ETCD_DATA } from "../../render/component-paths";
import { readMembers } from "../kubeadm/etcd-status";
import type { Remote } from "../ssh/remote";
import { startComponents, startEtcd, stopControlPlanes } from "./restore-etcd";
import { HELD, runOnMembers, type RestoredMember } from "./restored-member";

/** https://etcd.io/docs/v3.6/op-guide/recovery/ */
const FLAG = "--force-new-cluster";
const MEMBER = `${ETCD_DATA}/member`;
/** The data from before the recovery. It has this name only while a recovery is in progress. */
const BEFORE = `${ETCD_DATA}/member.before-recovery`;
const STEP = "recovering etcd";

/** Whether a control plane has a recovery that was interrupted. */
export async function isRecovering(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const script = `[ ! -d ${BEFORE} ] || echo recovering`;
  return (await machine.read(script, { step: STEP, signal })).stdout.includes("recovering");
}

/** Whether a machine has data of an etcd member. @returns undefined where it does not answer */
export async function hasEtcdData(machine: Remote, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const { stdout } = await machine.read(`[ ! -d ${MEMBER} ] || echo data`, { step: "reading etcd's data", signal });
    return stdout.includes("data");
  } catch {
    return undefined;
  }
}

/**
 * Stops a control plane, copies etcd's data, and starts etcd as a cluster whose only member it is. The flag for that is
 * then removed: each start with it removes all other members again. Only etcd runs afterwards. An interrupted recovery
 * is repeated as a whole, and keeps the first copy.
 */
export async function recoverEtcd(member: RestoredMember, signal: AbortSignal): Promise<void> {
  await stopControlPlanes([member], signal);
  await runOnMembers([member], "copying etcd's data", COPY);
  await runOnMembers([member], STEP, ADD_FLAG);
  await startEtcd([member], 1, signal);
  await assertOnlyMember(member, signal);
  await stopControlPlanes([member], signal);
  await runOnMembers([member], STEP, REMOVE_FLAG);
  await startEtcd([member], 1, signal);
}

/** Starts the other components with the recovered etcd. */
export async function startRecovered(member: RestoredMember): Promise<void> {
  await startComponents([member]);
}

/** Returns to the data from before the recovery, without a majority. */
export async function undoRecovery(member: RestoredMember, signal: AbortSignal): Promise<void> {
  await stopControlPlanes([member], signal);
  await runOnMembers([member], "putting etcd's data back", PUT_BACK);
  await startComponents([member]);
}

/**
 * Ends a recovery that was proved. The copy is kept under a name of its own.
 * @returns the path of the copy
 */
export async function endRecovery(member: RestoredMember): Promise<string> {
  const script = `kept=${BEFORE}-$(date +%s) && mv -T ${BEFORE} "$kept" && echo "$kept"`;
  const [path = ""] = await runOnMembers([member], "keeping the previous data of etcd", script);
  return path;
}

const COPY = `set -e
[ -d ${MEMBER} ] || { echo "${MEMBER} does not exist" >&2; exit 1; }
[ ! -d ${BEFORE} ] || exit 0
rm -rf ${BEFORE}.part
cp -a --reflink=auto ${MEMBER} ${BEFORE}.part
sync -f ${BEFORE}.part
mv -T ${BEFORE}.part ${BEFORE}`;

const REMOVE_FLAG = `sed -i '/^ *- ${FLAG}$/d' ${HELD}/etcd.yaml`;
const ADD_FLAG = `set -e
${REMOVE_FLAG}
sed -i 's/^\\( *\\)- etcd$/&\\n\\1- ${FLAG}/' ${HELD}/etcd.yaml
grep -q -e '- ${FLAG}$' ${HELD}/etcd.yaml || { echo "the manifest of etcd has no command" >&2; exit 1; }`;

const PUT_BACK = `set -e
rm -rf ${BEFORE}.part
${REMOVE_FLAG}
[ -d ${BEFORE} ] || exit 0
rm -rf ${MEMBER}
mv -T ${BEFORE} ${MEMBER}`;

async function assertOnlyMember({ machine }: RestoredMember, signal: AbortSignal): Promise<void> {
  const members = (await readMembers(machine, signal)) ?? [];
  if (members.length === 1) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `etcd has ${members.length} members after the start with ${FLAG}`,
    action: "see /var/log/pods/*_etcd-*",
  });
}
