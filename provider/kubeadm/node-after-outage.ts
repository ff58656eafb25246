import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../common/errors";
import { waitUntilHealthy } from "../host/health";
import { Stability, proveHealthy } from "../host/prove-healthy";
import { parsePodManifest } from "../host/prove-static-pod";
import { readLease } from "../kube/node-lease";
import { readNodeOrCause } from "../kube/read-node";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { readManifestTexts } from "./manifest-texts";
import { readMembership } from "./membership";

/** They exit while they do not reach the API server, and the kubelet then starts them again with a growing delay. */
const CONTROLLERS = ["kube-controller-manager", "kube-scheduler"] as const;
/** Milliseconds for which the node must stay known. The controller manager compares leases with the time every 5 s. */
const SETTLE_MS = 6_000;

/**
 * Waits, after an outage of the API server of a control plane, until the machine's controller manager and scheduler are
 * healthy, and its own node counts as Ready again. The node may count as unknown for up to a minute, because kubelets
 * and the controller manager watch again with a back-off. Does nothing on a machine that is no member of a cluster. At
 * the deadline it warns only: the API server is healthy.
 */
export async function waitForNodeAfterOutage(context: Context, machine: Remote): Promise<void> {
  const { signal } = context;
  try {
    const membership = await readMembership(machine, signal);
    if (!membership) return;
    await proveControllers(context, machine);
    await proveKnown(context, machine, membership.node);
  } catch (error) {
    signal.throwIfAborted();
    const { cause, action } = error instanceof StepError ? error.failure : { cause: messageOf(error) };
    const next = action === undefined ? "" : `; ${action}`;
    context.warn(`${machine.label}: the control plane has not recovered from the outage: ${cause}${next}`);
  }
}

/** Those that a systemd unit runs are left out: systemd starts them again without a growing delay. */
async function proveControllers(context: Context, machine: Remote): Promise<void> {
  const manifests = await readManifestTexts(machine, context.signal);
  const timeout = context.settings.healthySeconds;
  for (const name of CONTROLLERS) {
    const { endpoint } = parsePodManifest(manifests.get(name) ?? "");
    if (endpoint) await waitUntilHealthy(context, machine, name, { ...endpoint, timeout }, `/var/log/pods/*_${name}-*`);
  }
}

async function proveKnown(context: Context, machine: Remote, node: string): Promise<void> {
  const controlPlanes = [machine.connection];
  const stability = new Stability(context.clock, SETTLE_MS);
  let first: string | undefined;
  await proveHealthy(context, machine, {
    name: `node ${node}`,
    check: async () => {
      const answer = await readNodeOrCause(context, { name: node, controlPlanes });
      if (typeof answer === "string") return { waiting: answer };
      const renewed = await context.kube.api(controlPlanes, context.signal).then(
        (api) => readLease(api, node),
        () => undefined,
      );
      first ??= renewed;
      const problem = findProblem(answer, renewed !== undefined && renewed !== first);
      const isStable = stability.isStable(problem ?? "");
      if (problem !== undefined) return { waiting: problem };
      return isStable ? "healthy" : { waiting: "its kubelet has reported; the node must stay known for 6 s" };
    },
    action: `see \`kubectl describe node ${node}\`, and \`journalctl -u kubelet\` on the machine`,
  });
}

/** A node that its kubelet itself reports as not Ready has another problem than the outage. */
function findProblem(node: V1Node, isRenewed: boolean): string | undefined {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (!ready || ready.status === "Unknown") return ready?.message ?? "its kubelet has not reported";
  return isRenewed ? undefined : "its kubelet has not renewed its lease since the API server answers again";
}
