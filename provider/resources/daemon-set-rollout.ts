import type { Inputs } from "../../contracts/contract";
import { daemonSetRolloutContract } from "../../contracts/kube/daemon-set-rollout";
import { StepError } from "../../common/errors";
import { CONFIG_ANNOTATION } from "../../render/json";
import { hasRevision, readDaemonPods, replaceDaemonPods } from "../kube/daemon-set-pods";
import { isTerminating } from "../kube/pods";
import { NOT_READ } from "../preview/notices";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";

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
  async read(context, _id, old) {
    try {
      return { inputs: { ...old.inputs, revision: await readRevision(context, old.inputs) }, outputs: {} };
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      context.warn(`${NOT_READ}; its recorded state is kept: ${error.message}`);
      return old;
    }
  },
};

export const daemonSetRolloutResource = register(daemonSetRollout);
