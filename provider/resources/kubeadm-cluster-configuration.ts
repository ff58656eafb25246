import type { Inputs } from "../../contracts/contract";
import { clusterConfigurationContract } from "../../contracts/kubeadm/cluster-configuration";
import { findOutdated, upload } from "../kubeadm/uploaded-configuration";
import { clusterSetting } from "./cluster-setting";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";

type ConfigurationInputs = Inputs<typeof clusterConfigurationContract>;
const ID = "kubeadm-config";

async function apply(context: Context, { controlPlanes, documents }: ConfigurationInputs): Promise<void> {
  const { signal } = context;
  const api = await context.kube.api(controlPlanes, signal);
  for (const outdated of await findOutdated(api, documents, signal)) {
    context.begin(ID);
    context.status(`writing the ConfigMap ${outdated.configMap}`);
    await upload(api, outdated, signal);
  }
}

async function findProblem(context: Context, inputs: ConfigurationInputs): Promise<string | undefined> {
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  const outdated = await findOutdated(api, inputs.documents, context.signal);
  const problems = outdated.map(({ configMap, sections }) =>
    sections.length > 0 ? `ConfigMap ${configMap}: ${sections.join(", ")} changed` : `${configMap} was not restarted`,
  );
  return problems.length > 0 ? problems.join("; ") : undefined;
}

/** What joining nodes and upgrades read: kubeadm's configuration in the cluster, and kube-proxy's. */
const clusterConfiguration: Handler<typeof clusterConfigurationContract> = {
  contract: clusterConfigurationContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes"],
  ...clusterSetting({ id: ID, apply, findProblem }),
  adopt: adoptById(() => ID),
};

export const clusterConfigurationResource = register(clusterConfiguration);
