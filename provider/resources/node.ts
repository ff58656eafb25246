import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import semver from "semver";
import type { Inputs, Outputs } from "../../contracts/contract";
import { nodeContract } from "../../contracts/kube/node";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { pluralize } from "../../common/pluralize";
import { backoff } from "../../common/wait";
import { hashRunningProgram } from "../host/systemd";
import type { KubeApi } from "../kube/api";
import { readNode } from "../kube/cordon";
import type { ForcedRemoval } from "../kube/dead-node";
import { readCluster } from "./read-cluster";
import { removeNode } from "../kube/remove-node";
import { waitUntilReady } from "../kube/node-ready";
import { applyNodeSettings, readNodeSettings } from "../kube/node-settings";
import { summarizeNames } from "../kube/pods";
import { admitNode } from "../kube/without-controller-manager";
import { kubeletVersionOf, pressuresOf } from "../kube/node-facts";
import { proveServingCertificate } from "../kubelet/prove-serving";
import { upgradeNode } from "../kubelet/upgrade-node";
import { register, type Context, type Handler, type Problem } from "../rpc/handler";
import { proveMachineGone } from "./machine-gone";
import { rejectOtherMachine } from "./other-machine";

type NodeInputs = Inputs<typeof nodeContract>;
type NodeOutputs = Outputs<typeof nodeContract>;

/** Attempts to read the Node, about 6 s in total: enough for a kubelet that has just started. */
const REGISTER_ATTEMPTS = 10;

/** Waits for the Node. A kubelet registers only when it starts, so it is restarted if its Node was deleted. */
async function waitForRegistration(context: Context, api: KubeApi, { node, connection }: NodeInputs): Promise<void> {
  for (let attempt = 0; attempt < REGISTER_ATTEMPTS; attempt++) {
    if (await readNode(api, node, context.signal)) return;
    await backoff(4, context.signal);
  }
  context.status("the kubelet does not register: restarting it");
  await context.connections.get(connection).run("systemctl restart kubelet", {
    step: "restarting the kubelet",
    signal: context.signal,
    timeout: 60,
  });
}

/** Approves the request of the node's kubelet for a serving certificate, where the cluster's CA signs it. */
async function proveServing(context: Context, inputs: NodeInputs): Promise<void> {
  const { node: name, controlPlanes, servingAddresses, connection } = inputs;
  await proveServingCertificate(context, context.connections.get(connection), {
    name,
    controlPlanes,
    servingAddresses,
  });
}

async function waitUntilNodeReady(context: Context, api: KubeApi, inputs: NodeInputs): Promise<NodeOutputs> {
  const { signal, status } = context;
  const live = await waitUntilReady(api, { node: inputs.node, timeout: inputs.readyTimeout, signal, status });
  await admitNode(api, live, { ...inputs, signal });
  const pressures = pressuresOf(live);
  if (pressures.length > 0)
    context.warn(
      `${inputs.node} is Ready, but reports ${pressures.join(" and ")}: ordinary pods are not scheduled to it; ` +
        `run \`kubectl describe node ${inputs.node}\``,
    );
  return { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" };
}

/** Returns undefined if no control plane answers and the node may stay in the cluster. */
async function apiOrUndefined(context: Context, inputs: NodeInputs, mayStay: boolean): Promise<KubeApi | undefined> {
  try {
    return await context.kube.api(inputs.controlPlanes, context.signal);
  } catch (error) {
    if (!(error instanceof StepError) || !mayStay) throw error;
    return undefined;
  }
}

async function leaveCluster(context: Context, api: KubeApi, inputs: NodeInputs): Promise<void> {
  const { signal, status } = context;
  const { node, instance, pool, maxUnavailable, connection } = inputs;
  const machine = { connection, instance, fence: inputs.drain.fence };
  const isGone = (deadline: number) => proveMachineGone(context, machine, { signal, deadline });
  const drained = await removeNode(api, {
    node,
    instance,
    gate: context.poolGate,
    pool,
    maxUnavailable,
    signal,
    status,
    isGone,
    verifyMachine: () => rejectOtherMachine(context, api, inputs, signal),
    ...inputs.drain,
  });
  if (!drained) return;
  if (drained.forced) reportForced(context, inputs, drained.forced);
  else context.info(`${node} is drained (${pluralize(drained.evicted.length, "pod")}) and has left the cluster`);
}

function reportForced(context: Context, { node, connection }: NodeInputs, { pods, volumes }: ForcedRemoval): void {
  context.unreachable.markGone(connection);
  const detached = volumes.length > 0 ? ` and ${pluralize(volumes.length, "volume")} detached` : "";
  const which = pods.length > 0 ? ` (${summarizeNames(pods)})` : "";
  context.warn(
    `${node} was down: ${pluralize(pods.length, "pod was", "pods were")} deleted without its kubelet` +
      `${which}${detached}; it has left the cluster, and the machine was not cleaned`,
  );
}

const CONTROL_PLANE = "control-plane";

/** Paths of the version in the configuration, by pool. */
const PATHS: Readonly<Record<string, string>> = {
  [CONTROL_PLANE]: "kubernetes.version",
  workers: "workers.version",
};

/**
 * A kubelet cannot be downgraded, except that of a control plane: it follows its API server, whose own check decides
 * whether an upgrade can be undone. Where no kubelet is replaced, its node would not be drained either.
 */
function findVersionChange({ pool = "", ...now }: Partial<NodeInputs>, old: Partial<NodeInputs>): Problem[] {
  const { version, instance, node = "", program } = now;
  if (version === undefined || old.version === undefined || version === old.version) return [];
  if (instance === undefined || instance !== old.instance) return [];
  if (program !== undefined && (semver.gt(version, old.version) || pool === CONTROL_PLANE)) return [];
  const path = PATHS[pool] ?? `pools.${pool}.version`;
  const cause =
    program === undefined ? "the node would not be drained" : "Kubernetes does not support downgrades of a kubelet";
  const reason =
    `the kubelet of ${node} cannot change from ${old.version} to ${version}: ${cause}; set ${path}: ${old.version}, ` +
    `or add a pool with version ${version} and remove this one`;
  return [{ path, reason }];
}

/** Returns the kubelet that runs, as inputs. What cannot be read is as recorded. */
async function readKubelet(context: Context, live: V1Node, inputs: NodeInputs): Promise<Partial<NodeInputs>> {
  const { version, program, connection } = inputs;
  if (program === undefined) return {};
  const machine = context.connections.get(connection);
  const running = await hashRunningProgram(machine, "kubelet.service", context.signal).catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (!(error instanceof StepError)) throw error;
    return undefined;
  });
  const reported = kubeletVersionOf(live);
  return { ...optional({ version: version && reported }), program: running ?? program };
}

/** Records a node that this machine has. */
async function adopt(context: Context, inputs: NodeInputs): Promise<{ id: string; outputs: NodeOutputs }> {
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  const live = await readNode(api, inputs.node, context.signal);
  const machineId = live?.status?.nodeInfo?.machineID;
  if (live && machineId === inputs.instance)
    return { id: inputs.node, outputs: { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" } };
  throw new StepError({
    step: "adopting the node",
    machine: inputs.node,
    cause: live ? `the node is that of another machine, ${machineId}` : "the cluster has no node of this name",
    action: "compare the names and addresses of the configuration with `kubectl get nodes -o wide`",
  });
}

/** A joined node: Ready, labelled, tainted. Its delete is the drain, and comes before the machine's. */
const node: Handler<typeof nodeContract> = {
  contract: nodeContract,
  replaceOn: ["node", "instance", "membership"],
  findImpossibleChanges: findVersionChange,
  rare: ["restoredFrom"],
  ignore: [
    ...["controlPlanes", "readyTimeout", "soak", "drain", "pool", "maxUnavailable", "connection", "uncontrolled"],
    "usesKubeadm",
  ],
  async create(context, inputs) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    context.begin(inputs.node, { kubeletVersion: "" });
    await waitForRegistration(context, api, inputs);
    await proveServing(context, inputs);
    const outputs = await waitUntilNodeReady(context, api, inputs);
    await applyNodeSettings(api, inputs.node, inputs, context.signal);
    return { id: inputs.node, outputs };
  },
  adopt,
  async update(context, _id, inputs, old) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    context.begin();
    // After a failed create, the kubelet may not have registered yet.
    await waitForRegistration(context, api, inputs);
    await upgradeNode(context, api, inputs);
    await proveServing(context, inputs);
    await applyNodeSettings(api, inputs.node, inputs, context.signal, old.inputs);
    return waitUntilNodeReady(context, api, inputs);
  },
  read: (context, _id, old) =>
    readCluster(context, old, async () => {
      const { inputs, unfinished } = old;
      const api = await context.kube.api(inputs.controlPlanes, context.signal);
      const live = await readNode(api, inputs.node, context.signal);
      if (!live) return unfinished ? old : undefined;
      return {
        ...old,
        inputs: { ...inputs, ...readNodeSettings(live, inputs), ...(await readKubelet(context, live, inputs)) },
        outputs: { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" },
      };
    }),
  async delete(context, _id, { inputs }) {
    const { restoreFrom } = context.settings; // The cluster may be lost, and its nodes are those of the backup.
    const mayStay = restoreFrom !== undefined || context.unreachable.isAbandoned(inputs.connection);
    const api = await apiOrUndefined(context, inputs, mayStay);
    if (api) return await leaveCluster(context, api, inputs);
    context.warn(`no control plane answers: node ${inputs.node} was left as it is`);
  },
};

export const nodeResource = register(node);
