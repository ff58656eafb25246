import { z } from "zod";
import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import { kubeApi, type KubeApi } from "../kube/api";
import { drain } from "../kube/drain";
import { orMissing } from "../kube/errors";
import { patiently } from "../kube/retry";
import { register, type Context, type Handler } from "../rpc/handler";
import { connectionSchema } from "../ssh/connection";

const taintSchema = z.strictObject({
  key: z.string(),
  value: z.string().optional(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

const schema = z.strictObject({
  controlPlanes: z.array(connectionSchema).min(1),
  node: z.string(),
  /** The incarnation of the machine: a rebuilt one is another member. */
  instance: z.string(),
  /** Ours; labels that others set stay as they are. */
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  taints: z.array(taintSchema),
  schedulable: z.boolean(),
  /** Seconds until the node must be Ready. */
  readyTimeout: z.number().positive(),
  /** Seconds that a drain may take. */
  drainTimeout: z.number().positive(),
});

type NodeInputs = z.infer<typeof schema>;
interface NodeOutputs {
  kubeletVersion: string;
}

async function untilReady(context: Context, api: KubeApi, inputs: NodeInputs): Promise<V1Node> {
  let last = "the node has not registered";
  context.status("waiting for Ready");
  return until(
    async () => {
      const node = await api.core.readNode({ name: inputs.node }).catch(() => undefined);
      const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
      if (ready) last = ready.message ?? ready.reason ?? "not Ready";
      return ready?.status === "True" ? node : undefined;
    },
    {
      signal: context.signal,
      timeout: inputs.readyTimeout,
      every: 200,
      onTimeout: () =>
        new StepError({
          step: "waiting for Ready",
          machine: inputs.node,
          cause: last,
          action: "see `journalctl -u kubelet` on the machine and `kubectl get pods -A -o wide`; run again when it is mended",
        }),
    },
  );
}

/** Labels, annotations and taints as the inputs have them; what the last inputs had and these have not is removed. */
async function settle(context: Context, api: KubeApi, inputs: NodeInputs, old?: NodeInputs): Promise<void> {
  const node = await patiently("reading the node", context.signal, () => api.core.readNode({ name: inputs.node }));
  if (!old && JSON.stringify(seen(node, inputs)) === JSON.stringify(inputs)) return;
  const ours = new Set([...inputs.taints, ...(old?.taints ?? [])].map(taintId));
  const foreign = (node.spec?.taints ?? []).filter((taint) => !ours.has(taintId(taint)));
  const body = {
    metadata: { labels: merged(old?.labels, inputs.labels), annotations: merged(old?.annotations, inputs.annotations) },
    spec: { unschedulable: inputs.schedulable ? null : true, ...(ours.size > 0 ? { taints: [...foreign, ...inputs.taints] } : {}) },
  };
  await patiently("labelling the node", context.signal, () => api.core.patchNode({ name: inputs.node, body }, api.mergePatch));
}

/** A merge patch (RFC 7396) that sets what is wanted and removes, by null, what was. */
function merged(was: Record<string, string> = {}, is: Record<string, string>): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(was).map((key) => [key, null])), ...is };
}

function taintId({ key, effect }: { key: string; effect: string }): string {
  return `${key}:${effect}`;
}

/** The inputs as the API tells them, limited to what is ours. */
function seen(node: V1Node, inputs: NodeInputs): NodeInputs {
  const pick = (wanted: Record<string, string>, live: Record<string, string> = {}) =>
    Object.fromEntries(Object.keys(wanted).flatMap((key) => (live[key] === undefined ? [] : [[key, live[key]]])));
  const taints = inputs.taints.flatMap((wanted) => {
    const found = node.spec?.taints?.find((taint) => taintId(taint) === taintId(wanted));
    return found ? [{ key: found.key, ...(found.value ? { value: found.value } : {}), effect: wanted.effect }] : [];
  });
  return {
    ...inputs,
    labels: pick(inputs.labels, node.metadata?.labels),
    annotations: pick(inputs.annotations, node.metadata?.annotations),
    taints,
    schedulable: !node.spec?.unschedulable,
  };
}

/** A joined node: Ready, labelled, tainted. Its delete is the drain, and comes before the machine's. */
const node: Handler<NodeInputs, NodeOutputs> = {
  schema,
  outputs: ["kubeletVersion"],
  replaceOn: ["node", "instance"],
  ignore: ["controlPlanes", "readyTimeout", "drainTimeout"],
  async create(context, inputs) {
    const api = await kubeApi(inputs.controlPlanes, context.signal);
    const ready = await untilReady(context, api, inputs);
    await settle(context, api, inputs);
    return { id: inputs.node, outputs: { kubeletVersion: ready.status?.nodeInfo?.kubeletVersion ?? "" } };
  },
  async update(context, _id, inputs, old) {
    const api = await kubeApi(inputs.controlPlanes, context.signal);
    await settle(context, api, inputs, old.inputs);
    const ready = await untilReady(context, api, inputs);
    return { kubeletVersion: ready.status?.nodeInfo?.kubeletVersion ?? "" };
  },
  async read(context, _id, { inputs, outputs }) {
    const api = await kubeApi(inputs.controlPlanes, context.signal).catch((error: unknown) => {
      if (!(error instanceof StepError)) throw error;
      context.warn(`not looked at, its last known state is kept: ${error.message}`);
      return undefined;
    });
    if (!api) return { inputs, outputs };
    const live = await patiently("reading the node", context.signal, () => orMissing(api.core.readNode({ name: inputs.node })));
    if (!live) return undefined;
    return { inputs: seen(live, inputs), outputs: { kubeletVersion: live.status?.nodeInfo?.kubeletVersion ?? "" } };
  },
  async delete(context, _id, { inputs }) {
    const api = await kubeApi(inputs.controlPlanes, context.signal);
    const live = await patiently("reading the node", context.signal, () => orMissing(api.core.readNode({ name: inputs.node })));
    // Drained and deleted already, or another machine has taken the name since: nothing of ours is left.
    if (!live || (inputs.instance && live.status?.nodeInfo?.machineID !== inputs.instance)) return;
    await drain(api, { node: inputs.node, timeout: inputs.drainTimeout, signal: context.signal, status: (message) => context.status(message) });
    await patiently("deleting the node", context.signal, () => orMissing(api.core.deleteNode({ name: inputs.node })));
    context.info(`${inputs.node} is drained and has left the cluster`);
  },
};

export const nodeResource = register(node);
