import type { Inputs } from "../../contracts/contract";
import { daemonSetRolloutContract } from "../../contracts/kube/daemon-set-rollout";
import { CONFIG_ANNOTATION } from "../../render/json";
import { hasRevision, readDaemonPods, replaceDaemonPods } from "../kube/daemon-set-pods";
import { isTerminating } from "../kube/pods";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import { readCluster } from "./read-cluster";

type DaemonSetRolloutInputs = Inputs<typeof daemonSetRolloutContract>;

function idOf({ namespace, daemonSet }: DaemonSetRolloutInputs): string {
  return `${namespace}/${daemonSet}`;
}

async function replacePods(context: Context, inputs: DaemonSetRolloutInputs): Promise<void> {
  const { namespace, daemonSet, revision, timeout } = inputs;
  const { signal, status } = context;
  const api = await context.kube.api(inputs.controlPlanes, signal);
  context.begin(idOf(inputs));
  await replaceDaemonPods(api, {
    namespace,
    name: daemonSet,
    annotation: CONFIG_ANNOTATION,
    value: revision,
    timeout,
    signal,
    status,
  });
}

/** Reads the revision of the pods; where they differ, another one than the recorded one. */
async function readRevision(context: Context, inputs: DaemonSetRolloutInputs): Promise<string> {
  const { namespace, daemonSet, revision } = inputs;
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  const { pods } = await readDaemonPods(api, { namespace, name: daemonSet }, context.signal);
  const recorded = { annotation: CONFIG_ANNOTATION, value: revision };
  const other = pods.find((pod) => !isTerminating(pod) && !hasRevision(pod, recorded));
  return other ? (other.metadata?.annotations?.[CONFIG_ANNOTATION] ?? "none") : revision;
}

/** The revision of the pods of a DaemonSet. */
const daemonSetRollout: Handler<typeof daemonSetRolloutContract> = {
  contract: daemonSetRolloutContract,
  replaceOn: ["caCertHash", "namespace", "daemonSet"],
  ignore: ["controlPlanes", "timeout"],
  async create(context, inputs) {
    await replacePods(context, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs) {
    await replacePods(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readCluster(context, old, async () => {
      const revision = await readRevision(context, old.inputs);
      return { inputs: { ...old.inputs, revision }, outputs: {} };
    }),
};

export const daemonSetRolloutResource = register(daemonSetRollout);
