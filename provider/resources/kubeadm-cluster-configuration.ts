import type { Inputs } from "../../contracts/contract";
import { clusterConfigurationContract } from "../../contracts/kubeadm/cluster-configuration";
import { findOutdated, upload } from "../kubeadm/uploaded-configuration";
import { StepError } from "../../common/errors";
import { NOT_READ } from "../preview/notices";
import { register, type Context, type Handler } from "../rpc/handler";

type ConfigurationInputs = Inputs<typeof clusterConfigurationContract>;

async function apply(context: Context, { controlPlanes, documents }: ConfigurationInputs): Promise<void> {
  const { signal } = context;
  const api = await context.kube.api(controlPlanes, signal);
  for (const outdated of await findOutdated(api, documents, signal)) {
    context.status(`writing the ConfigMap ${outdated.configMap}`);
    await upload(api, outdated, signal);
  }
}

async function findProblem(context: Context, inputs: ConfigurationInputs): Promise<string | undefined> {
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  const outdated = await findOutdated(api, inputs.documents, context.signal);
  const problems = outdated.map(({ configMap, sections }) => `ConfigMap ${configMap}: ${sections.join(", ")} changed`);
  return problems.length > 0 ? problems.join("; ") : undefined;
}

/** What joining nodes and upgrades read: kubeadm's configuration in the cluster, and kube-proxy's. */
const clusterConfiguration: Handler<typeof clusterConfigurationContract> = {
  contract: clusterConfigurationContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes"],
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: "kubeadm-config", outputs: {} };
  },
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  async read(context, _id, old) {
    const { problem: _, ...inputs } = old.inputs;
    try {
      const problem = await findProblem(context, inputs);
      return { inputs: problem === undefined ? inputs : { ...inputs, problem }, outputs: {} };
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      context.warn(`${NOT_READ}, its last known state is kept: ${error.message}`);
      return old;
    }
  },
};

export const clusterConfigurationResource = register(clusterConfiguration);
