import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { pluralize } from "../../common/pluralize";
import type { Inputs } from "../../contracts/contract";
import type { nodeContract } from "../../contracts/kube/node";
import { findKubeletSkew, isSameMinor } from "../../render/version-skew";
import { requireMachine } from "../host/on-machine";
import { hashRunningProgram } from "../host/systemd";
import type { KubeApi } from "../kube/api";
import { isCordoned, isReady, requireNode, restoreSchedulable } from "../kube/cordon";
import { drain } from "../kube/drain";
import { readHealthProblems } from "../kube/health-gate";
import { isControlPlane, kubeletVersionOf } from "../kube/node-facts";
import { withinPoolLimit } from "../kube/pool-gate";
import { retryRequest } from "../kube/retry";
import { restoreTraffic, withoutTraffic } from "../kubeadm/api-traffic";
import { handOverLeadership } from "../kubeadm/etcd-member";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { isReplacementUnfinished, replaceKubelet, type NewKubelet } from "./replace-kubelet";
import { soak } from "./soak";

type NodeInputs = Inputs<typeof nodeContract>;

const UNIT = "kubelet.service";
const STEP = "upgrading the node";

/**
 * Brings the node to the configured kubelet, if it runs another one. A worker that gets another minor version is
 * drained before, within the limit of its pool, if another node can take its pods.
 * https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/upgrading-linux-nodes/
 */
export async function upgradeNode(context: Context, api: KubeApi, inputs: NodeInputs): Promise<void> {
  const { version, program, node, controlPlanes, usesKubeadm } = inputs;
  if (version === undefined || program === undefined) return;
  const live = await requireNode(api, node, context.signal);
  const machine = await requireMachine(context, inputs);
  if (!(await isUpgradeDue(machine, live, { version, program }, context.signal))) return;
  await checkApiServer(api, { node, version }, context.signal);
  const onControlPlane = isControlPlane(live);
  // A control plane asks its own API server, whose kubelet it is.
  const own = { name: node, version, controlPlanes: onControlPlane ? [inputs.connection] : controlPlanes };
  const kubelet = { ...own, usesKubeadm, soak: await prepareSoak(context, api, inputs) };
  const from = kubeletVersionOf(live) ?? "";
  context.status(`kubelet ${from} is replaced by ${version}`);
  const isSame = from !== "" && isSameMinor(from, version);
  // Without a controller manager, nothing recreates the pods of a drained node.
  if (isSame || inputs.uncontrolled) return await replaceKubelet(context, machine, kubelet);
  if (!onControlPlane) return await replaceDrained(context, api, { machine, inputs, kubelet });
  // The first start of a kubelet of another minor version restarts all static pods, etcd too.
  await withoutTraffic(context, machine, node, async () => {
    await handOverLeadership(machine, context);
    await replaceKubelet(context, machine, {
      ...kubelet,
      soak: beforeSoak(kubelet, () => restoreTraffic(context, machine)),
    });
  });
}

/** @returns what watches the cluster after the upgrade of the node; undefined where nothing is configured */
async function prepareSoak(context: Context, api: KubeApi, inputs: NodeInputs): Promise<NewKubelet["soak"]> {
  const { node, controlPlanes, soak: seconds = 0 } = inputs;
  if (seconds === 0) return undefined;
  const before = await readHealthProblems(context, api, { node, controlPlanes });
  return async () => await soak(context, api, { node, seconds, controlPlanes, before });
}

/** Does something before the cluster is watched, so that the node takes part in it. */
function beforeSoak({ soak: watch }: NewKubelet, work: () => Promise<void>): NewKubelet["soak"] {
  if (!watch) return undefined;
  return async () => {
    await work();
    await watch();
  };
}

/** A run that was interrupted after it started the new kubelet has not proved it healthy. */
async function isUpgradeDue(
  machine: Remote,
  live: V1Node,
  kubelet: { version: string; program: string },
  signal: AbortSignal,
): Promise<boolean> {
  if (await isOutdated(machine, live, kubelet, signal)) return true;
  return await isReplacementUnfinished(machine, kubelet.version, signal);
}

async function isOutdated(
  machine: Remote,
  live: V1Node,
  { version, program }: { version: string; program: string },
  signal: AbortSignal,
): Promise<boolean> {
  if (kubeletVersionOf(live) !== version) return true;
  const running = await hashRunningProgram(machine, UNIT, signal);
  return running !== undefined && running !== program;
}

/** A kubelet must not be newer than the API server. */
async function checkApiServer(
  api: KubeApi,
  { node, version }: { node: string; version: string },
  signal: AbortSignal,
): Promise<void> {
  const { gitVersion } = await retryRequest(api, "reading the API server's version", signal, () =>
    api.version.getCode(),
  );
  const problem = findKubeletSkew(version, gitVersion.replace(/^v/, "").replace(/\+.*$/, ""));
  if (!problem) return;
  throw new StepError({
    step: STEP,
    machine: node,
    cause: `${problem.reason}; nothing was changed on this node`,
    action: "upgrade all control planes first: run `pulumi up` again",
  });
}

interface DrainedReplacement {
  machine: Remote;
  inputs: NodeInputs;
  kubelet: NewKubelet;
}

async function replaceDrained(
  context: Context,
  api: KubeApi,
  { machine, inputs, kubelet }: DrainedReplacement,
): Promise<void> {
  const { signal, status, poolGate: gate } = context;
  const { node, pool, maxUnavailable, drain: settings } = inputs;
  if (!(await canMovePods(api, node, signal))) {
    context.info(`${node}: no other node can take its pods, so they stay on it while its kubelet is replaced`);
    return await replaceKubelet(context, machine, kubelet);
  }
  const limit = { gate, pool, maxUnavailable, node, timeout: settings.timeout, signal, status };
  await withinPoolLimit(api, limit, async () => {
    const { wasCordoned, evicted } = await drain(api, { ...settings, node, signal, status });
    context.info(`${node} is drained (${pluralize(evicted.length, "pod")}) to replace its kubelet`);
    const makeSchedulable = async () => {
      if (!wasCordoned) await restoreSchedulable(api, node);
    };
    try {
      await replaceKubelet(context, machine, { ...kubelet, soak: beforeSoak(kubelet, makeSchedulable) });
    } finally {
      await makeSchedulable();
    }
  });
}

/** Whether another node is Ready and accepts ordinary pods. */
async function canMovePods(api: KubeApi, node: string, signal: AbortSignal): Promise<boolean> {
  const { items } = await retryRequest(api, "listing the nodes", signal, () => api.core.listNode({}));
  return items.some(
    (other) =>
      other.metadata?.name !== node &&
      isReady(other) &&
      !isCordoned(other) &&
      !(other.spec?.taints ?? []).some(({ effect }) => effect !== "PreferNoSchedule"),
  );
}
