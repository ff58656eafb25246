import type { Inputs, Outputs } from "../../contracts/contract";
import { nodeContract } from "../../contracts/kube/node";
import { StepError } from "../../common/errors";
import { backoff } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { readNode } from "../kube/cordon";
import type { ForcedRemoval } from "../kube/dead-node";
import { removeNode } from "../kube/remove-node";
import { waitUntilReady } from "../kube/node-ready";
import { applyNodeSettings, readNodeSettings } from "../kube/node-settings";
import { summarizeNames } from "../kube/pods";
import { admitNode } from "../kube/without-controller-manager";
import { register, type Context, type Handler } from "../rpc/handler";
import { proveMachineGone } from "./machine-gone";
import { NOT_READ } from "../preview/notices";

type NodeInputs = Inputs<typeof nodeContract>;
type NodeOutputs = Outputs<typeof nodeContract>;

/** Attempts to read the Node, about 6 s in all: ample for a kubelet that has just started. */
const REGISTER_ATTEMPTS = 10;

/** A kubelet registers when it starts and never again: one whose Node was deleted under it must be told. */
async function registered(context: Context, api: KubeApi, { node, connection }: NodeInputs): Promise<void> {
  for (let look = 0; look < REGISTER_ATTEMPTS; look++) {
    if (await readNode(api, node, context.signal)) return;
    await backoff(4, context.signal);
  }
  context.status("the kubelet does not register: starting it anew");
  await context.connections.get(connection).run("systemctl restart kubelet", {
    step: "starting the kubelet anew",
    signal: context.signal,
    timeout: 60,
  });
}

async function ready(context: Context, api: KubeApi, inputs: NodeInputs): Promise<NodeOutputs> {
  const { signal, status } = context;
  const live = await waitUntilReady(api, { node: inputs.node, timeout: inputs.readyTimeout, signal, status });
  await admitNode(api, live, { ...inputs, signal });
  return { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" };
}

/** Undefined where no control plane answers and that is no reason to stop. */
async function apiUnless(
  mayGo: (error: StepError) => boolean,
  context: Context,
  inputs: NodeInputs,
): Promise<KubeApi | undefined> {
  try {
    return await context.kube.api(inputs.controlPlanes, context.signal);
  } catch (error) {
    if (!(error instanceof StepError) || !mayGo(error)) throw error;
    return undefined;
  }
}

async function leave(context: Context, api: KubeApi, inputs: NodeInputs): Promise<void> {
  const { signal, status } = context;
  const { node, instance, pool, maxUnavailable, connection } = inputs;
  const isGone = () => proveMachineGone(context, { connection, instance, fence: inputs.drain.fence }, signal);
  const drained = await removeNode(api, {
    node,
    instance,
    gate: context.poolGate,
    pool,
    maxUnavailable,
    signal,
    status,
    isGone,
    ...inputs.drain,
  });
  if (!drained) return;
  if (drained.forced) tellForced(context, inputs, drained.forced);
  else context.info(`${node} is drained (${drained.evicted.length} pods) and has left the cluster`);
}

function tellForced(context: Context, { node, connection }: NodeInputs, { pods, volumes }: ForcedRemoval): void {
  context.unreachable.markGone(connection);
  const detached = volumes.length > 0 ? ` and ${volumes.length} volumes detached` : "";
  const which = pods.length > 0 ? ` (${summarizeNames(pods)})` : "";
  context.warn(
    `${node} was down: ${pods.length} pods were deleted without its kubelet${which}${detached}; ` +
      "it has left the cluster, and the machine was not cleaned",
  );
}

/** A joined node: Ready, labelled, tainted. Its delete is the drain, and comes before the machine's. */
const node: Handler<typeof nodeContract> = {
  contract: nodeContract,
  replaceOn: ["node", "instance", "membership"],
  ignore: ["controlPlanes", "readyTimeout", "drain", "pool", "maxUnavailable", "connection", "uncontrolled"],
  async create(context, inputs) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    await registered(context, api, inputs);
    const outputs = await ready(context, api, inputs);
    await applyNodeSettings(api, inputs.node, inputs, context.signal);
    return { id: inputs.node, outputs };
  },
  async update(context, _id, inputs, old) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    await applyNodeSettings(api, inputs.node, inputs, context.signal, old.inputs);
    return ready(context, api, inputs);
  },
  async read(context, _id, { inputs, outputs }) {
    const keep = (error: StepError) => (
      context.warn(`${NOT_READ}, its last known state is kept: ${error.message}`),
      true
    );
    const api = await apiUnless(keep, context, inputs);
    if (!api) return { inputs, outputs };
    const live = await readNode(api, inputs.node, context.signal);
    if (!live) return undefined;
    return {
      inputs: { ...inputs, ...readNodeSettings(live, inputs) },
      outputs: { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" },
    };
  },
  async delete(context, _id, { inputs }) {
    const api = await apiUnless(() => context.unreachable.isAbandoned(inputs.connection), context, inputs);
    if (api) return await leave(context, api, inputs);
    context.warn(`no control plane answers: node ${inputs.node} was left as it is`);
  },
};

export const nodeResource = register(node);
