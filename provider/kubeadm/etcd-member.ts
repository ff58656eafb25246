import { StepError, messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { quote } from "../../common/quote";
import { SOCKETS } from "../../render/runtime";
import type { Remote } from "../ssh/remote";

const SECONDS = 60;
const MANIFEST = "/etc/kubernetes/manifests/etcd.yaml";
const PKI = "/etc/kubernetes/pki/etcd";

interface Options {
  signal: AbortSignal;
  status: Progress;
}

/**
 * Takes a control plane's etcd out of the membership, through another member: an etcd that is simply gone still counts for the quorum.
 * The only member stays: with it goes the cluster.
 */
export async function leaveEtcd(
  machine: Remote,
  others: readonly Remote[],
  { signal, status }: Options,
): Promise<void> {
  const { stdout } = await machine.run(`sed -n 's/.*--name=//p' ${MANIFEST} 2>/dev/null; true`, {
    step: "looking for etcd",
    signal,
  });
  const name = stdout.trim();
  if (!name || others.length === 0) return;
  status("leaving etcd");
  await removeMember(name, others, signal);
}

/**
 * The same for a control plane whose machine does not answer, or is another by now: it was the member's name that kubeadm gave it, the node's.
 * What cannot be done is told, and nothing else waits for it.
 */
export async function removeDeadMember(
  node: string,
  others: readonly Remote[],
  { signal, status, warn }: Options & { warn: Progress },
): Promise<void> {
  if (others.length === 0) return;
  status("taking it out of etcd");
  try {
    await removeMember(node, others, signal);
  } catch (error) {
    signal.throwIfAborted();
    warn(`etcd may still count ${node}: ${messageOf(error)}`);
  }
}

/** Through the first of them that answers; no member of that name is as good. */
export async function removeMember(name: string, through: readonly Remote[], signal: AbortSignal): Promise<void> {
  const failures: string[] = [];
  for (const machine of through) {
    try {
      await machine.run(script(name), { step: "leaving etcd", signal, timeout: SECONDS });
      return;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(messageOf(error));
    }
  }
  throw new StepError({
    step: "leaving etcd",
    cause: failures.join("; "),
    action: `remove the member ${name} with \`etcdctl member remove\``,
  });
}

/** etcdctl is in etcd's image and nowhere else; the runtime runs it in the container that is there. */
function script(name: string): string {
  return `set -e
if [ -S ${SOCKETS.docker} ]; then
  container=$(docker ps -q --filter label=io.kubernetes.container.name=etcd | head -n 1)
  inside() { docker exec "$container" "$@"; }
else
  container=$(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' | while read -r id; do
    ctr -n k8s.io tasks ls | grep -q "^$id .*RUNNING" && echo "$id"; done | head -n 1)
  inside() { ctr -n k8s.io tasks exec --exec-id "kubewright-$$-$2-$3" "$container" "$@"; }
fi
[ -n "$container" ] || { echo "etcd does not run here" >&2; exit 1; }
etcdctl() { inside etcdctl "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${PKI}/ca.crt --cert=${PKI}/server.crt --key=${PKI}/server.key; }
id=$(etcdctl member list | awk -F', *' -v name=${quote(name)} '$3 == name {print $1}')
[ -z "$id" ] || etcdctl member remove "$id"`;
}
