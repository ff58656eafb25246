import { StepError, messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { quote } from "../../common/quote";
import { until } from "../../common/wait";
import { SOCKETS } from "../../render/runtime";
import type { Remote } from "../ssh/remote";

const STEP = "removing the etcd member";
const TIMEOUT_SECONDS = 60;
const RETRY_SECONDS = 30;
const RETRY_EVERY_MS = 2_000;
const MANIFEST = "/etc/kubernetes/manifests/etcd.yaml";
const PKI = "/etc/kubernetes/pki/etcd";

interface Options {
  signal: AbortSignal;
  status: Progress;
}

/**
 * Removes the etcd member of a control plane, through one of the other control planes: a member that is only deleted
 * still counts for the quorum. Does nothing on a machine without etcd, and keeps the last member, whose removal would
 * delete the cluster's data.
 */
export async function leaveEtcd(
  machine: Remote,
  others: readonly Remote[],
  { signal, status }: Options,
): Promise<void> {
  const { stdout } = await machine.run(`sed -n 's/.*--name=//p' ${MANIFEST} 2>/dev/null; true`, {
    step: "reading the etcd member's name",
    signal,
  });
  const name = stdout.trim();
  if (!name || others.length === 0) return;
  status(STEP);
  await removeMember(name, others, signal);
}

/**
 * Removes the etcd member of a control plane that does not answer or was rebuilt. kubeadm names members after their
 * nodes. A failure is a warning, because the machine itself needs no cleanup.
 */
export async function removeDeadMember(
  node: string,
  others: readonly Remote[],
  { signal, status, warn }: Options & { warn: Progress },
): Promise<void> {
  if (others.length === 0) return;
  status(STEP);
  try {
    await removeMember(node, others, signal);
  } catch (error) {
    signal.throwIfAborted();
    warn(`etcd may still count ${node} as a member: ${messageOf(error)}`);
  }
}

/**
 * Removes a member through the first control plane where that succeeds. Succeeds when there is no such member. etcd
 * refuses while members are out of touch with each other, which usually passes: so refused removals are repeated.
 */
async function removeMember(name: string, controlPlanes: readonly Remote[], signal: AbortSignal): Promise<void> {
  let failures: string[] = [];
  await until(
    async () => {
      failures = [];
      for (const machine of controlPlanes) {
        const failure = await tryRemoval(name, machine, signal);
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
async function tryRemoval(name: string, machine: Remote, signal: AbortSignal): Promise<string | undefined> {
  try {
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
    cause: failures.join("; "),
    action:
      "nothing was deleted on it; run `etcdctl endpoint health --cluster` on another control plane, repair etcd and " +
      "run again, or name the machine in kubewright:recovery.abandoned to delete it without etcd's consent",
  });
}

/** etcdctl exists in etcd's image only, so it runs inside etcd's container. */
function removeScript(name: string): string {
  return `set -e
if [ -S ${SOCKETS.docker} ]; then
  container=$(docker ps -q --filter label=io.kubernetes.container.name=etcd | head -n 1)
  inside() { docker exec "$container" "$@"; }
else
  container=$(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' | while read -r id; do
    ctr -n k8s.io tasks ls | grep -q "^$id .*RUNNING" && echo "$id"; done | head -n 1)
  inside() { ctr -n k8s.io tasks exec --exec-id "kubewright-$$-$2-$3" "$container" "$@"; }
fi
[ -n "$container" ] || { echo "etcd does not run on this machine" >&2; exit 1; }
etcdctl() { inside etcdctl "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${PKI}/ca.crt --cert=${PKI}/server.crt --key=${PKI}/server.key; }
id=$(etcdctl member list | awk -F', *' -v name=${quote(name)} '$3 == name {print $1}')
[ -z "$id" ] || etcdctl member remove "$id"`;
}
