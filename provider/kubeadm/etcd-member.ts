import { StepError, messageOf } from "../../common/errors";
import { firstSuccess } from "../../common/first-success";
import type { Progress } from "../../common/progress";
import { quote } from "../../common/quote";
import { until } from "../../common/wait";
import type { Remote } from "../ssh/remote";
import { saveSnapshot } from "./etcd-snapshot";
import { forecastRemoval, parseMembers, readMembers } from "./etcd-status";
import { ETCDCTL } from "../../render/etcdctl";
import { ETCD_MANIFEST, IGNORE_FAILURE } from "./etcdctl";

const STEP = "removing the etcd member";
const TIMEOUT_SECONDS = 60;
const RETRY_SECONDS = 30;
const RETRY_EVERY_MS = 2_000;

interface Options {
  signal: AbortSignal;
  status: Progress;
  /** Reports where the snapshot is. */
  info?: Progress;
}

/**
 * Removes the etcd member of a control plane, through one of the other control planes: a member that is only deleted
 * still counts for the quorum. Does nothing on a machine without etcd, and keeps the last member, whose removal would
 * delete the cluster's data.
 * @throws StepError when the remaining members would not have a majority
 */
export async function leaveEtcd(machine: Remote, others: readonly Remote[], options: Options): Promise<void> {
  const { stdout } = await machine.run(`sed -n 's/.*--name=//p' ${ETCD_MANIFEST} 2>/dev/null; true`, {
    step: "reading the etcd member's name",
    signal: options.signal,
  });
  const name = stdout.trim();
  if (!name || others.length === 0) return;
  const members = await readMembers(machine, options.signal);
  if (members?.length === 1) return;
  await removeMember(name, others, options);
}

/**
 * Removes the etcd member of a control plane that does not answer or was rebuilt. kubeadm names members after their
 * nodes.
 * @throws StepError when etcd refuses: a member that stays counts for the quorum
 */
export async function removeDeadMember(node: string, others: readonly Remote[], options: Options): Promise<void> {
  if (others.length > 0) await removeMember(node, others, options);
}

/**
 * Removes the member that the previous machine of a control plane has left in etcd, before the rebuilt machine joins
 * under the same name. Does nothing where etcd has no such member, or does not answer.
 */
export async function removePreviousMember(node: string, others: readonly Remote[], options: Options): Promise<void> {
  const { signal } = options;
  const attempts = others.map((machine) => async (limited: AbortSignal) => {
    const isMember = await isEtcdMember(machine, node, limited);
    if (isMember === undefined) throw new Error(`${machine.label}: etcd does not answer`);
    return isMember;
  });
  const isMember = await firstSuccess(attempts, { signal, delayMs: 0 }).catch(() => false);
  signal.throwIfAborted();
  if (isMember) await removeDeadMember(node, others, options);
}

/**
 * Removes a member through the first control plane where that succeeds. Succeeds when there is no such member. etcd
 * refuses while members are out of touch with each other, which usually passes: so refused removals are repeated.
 */
async function removeMember(name: string, controlPlanes: readonly Remote[], options: Options): Promise<void> {
  const { signal, status } = options;
  status(STEP);
  let failures: string[] = [];
  await until(
    async () => {
      failures = [];
      for (const machine of controlPlanes) {
        const failure = await tryRemoval(name, machine, options);
        if (failure === undefined) return true;
        failures.push(failure);
      }
      return undefined;
    },
    {
      signal,
      timeout: RETRY_SECONDS,
      patience: controlPlanes[0]?.patience,
      every: RETRY_EVERY_MS,
      onTimeout: () => refusalError(name, failures),
    },
  );
}

/** @returns the reason when the removal fails */
async function tryRemoval(name: string, machine: Remote, options: Options): Promise<string | undefined> {
  const { signal, status, info } = options;
  try {
    const members = await readMembers(machine, signal);
    if (!members) return `${machine.label}: etcd does not answer`;
    if (!members.some((member) => member.name === name)) return undefined;
    const { text, isSafe } = forecastRemoval(members, name);
    if (!isSafe) return `${text}, which is no majority`;
    status(text);
    const snapshot = await saveSnapshot(machine, `before-${name}-left`, signal);
    info?.(`${text}; etcd's snapshot from before is ${snapshot} on ${machine.label}`);
    await machine.run(removeScript(name), { step: STEP, signal, timeout: TIMEOUT_SECONDS });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

function refusalError(name: string, failures: readonly string[]): StepError {
  return new StepError({
    step: STEP,
    machine: name,
    cause: [...new Set(failures)].join("; "),
    action:
      "nothing was deleted on it; run `etcdctl endpoint health --cluster` on another control plane, repair etcd and " +
      "run again, or name the machine in kubewright:recovery.abandoned to delete it without etcd's consent",
  });
}

function removeScript(name: string): string {
  return `${ETCDCTL}
id=$(etcdctl member list | awk -F', *' -v name=${quote(name)} '$3 == name {print $1}')
[ -z "$id" ] || etcdctl member remove "$id"`;
}

/**
 * Returns whether the etcd that runs on the machine has the node as a member; undefined when it does not answer, which
 * proves neither.
 */
export async function isEtcdMember(machine: Remote, node: string, signal: AbortSignal): Promise<boolean | undefined> {
  const { stdout } = await machine.run(`${IGNORE_FAILURE}\n${ETCDCTL}\netcdctl member list`, {
    step: "reading etcd's members",
    signal,
    timeout: TIMEOUT_SECONDS,
  });
  return parseMembers(stdout)?.some(({ name }) => name === node);
}

/**
 * Passes etcd's leadership to another member before the leader restarts, so that clients do not wait for an election.
 * Failures are ignored: etcd then elects another leader by itself.
 */
export async function handOverLeadership(
  machine: Remote,
  { signal, status }: Pick<Options, "signal" | "status">,
): Promise<void> {
  const step = "handing over etcd's leadership";
  status(step);
  await machine.run(HAND_OVER, { step, signal, timeout: TIMEOUT_SECONDS });
}

const HAND_OVER = `${IGNORE_FAILURE}
${ETCDCTL}
status=$(etcdctl endpoint status -w fields)
field() { echo "$status" | awk -F' : ' -v name="\\"$1\\"" '$1 == name {print $2}'; }
own=$(field MemberID)
[ -n "$own" ] && [ "$own" = "$(field Leader)" ] || exit 0
other=$(etcdctl member list | awk -F', *' -v own="$(printf %x "$own")" '$1 != own && $2 == "started" {print $1; exit}')
[ -z "$other" ] || etcdctl move-leader "$other"`;
