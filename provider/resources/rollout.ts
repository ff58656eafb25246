import type { Inputs } from "../../contracts/contract";
import { rolloutContract } from "../../contracts/kube/rollout";
import type { V1Deployment } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import { ignoreNotFound, readWithCause } from "../kube/errors";
import { hasPatch } from "../kube/has-patch";
import { retryRequest } from "../kube/retry";
import { register, type Adopted, type Context, type Handler } from "../rpc/handler";

type RolloutInputs = Inputs<typeof rolloutContract>;

async function patchAndWait(context: Context, inputs: RolloutInputs): Promise<void> {
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  context.begin(idOf(inputs));
  const { namespace, deployment: name } = inputs;
  const label = idOf(inputs);
  if (inputs.patch) {
    const { setHeaderOptions, PatchStrategy } = await import("@kubernetes/client-node");
    const strategic = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
    await retryRequest(api, `patching ${label}`, context.signal, () =>
      api.apps.patchNamespacedDeployment({ namespace, name, body: inputs.patch }, strategic),
    );
  }
  context.status(`waiting for ${label} to be Available`);
  let last = "";
  await until(
    async () => {
      const { answer: deployment, cause } = await readWithCause(
        api.apps.readNamespacedDeployment({ namespace, name }),
        (answer) => describeReplicas(answer, inputs),
      );
      if (deployment && isRolledOut(deployment, inputs)) return true;
      if (cause !== last) context.status(`waiting for ${label} to be Available: ${cause}`);
      last = cause;
      return undefined;
    },
    {
      signal: context.signal,
      timeout: inputs.timeout,
      patience: api.patience,
      every: 200,
      onTimeout: () =>
        new StepError({
          step: `waiting for ${label}`,
          cause: last,
          action: `see \`kubectl -n ${namespace} describe deployment ${name}\``,
        }),
    },
  );
}

function isRolledOut({ metadata, spec, status }: V1Deployment, { revision }: RolloutInputs): boolean {
  const isCurrent = status?.observedGeneration === metadata?.generation;
  const isAvailable = status?.conditions?.some(({ type, status: is }) => type === "Available" && is === "True");
  const pods = [status?.updatedReplicas ?? 0, status?.replicas ?? 0];
  const isUpdated = revision === undefined || pods.every((count) => count === (spec?.replicas ?? 1));
  return isCurrent && isAvailable === true && isUpdated;
}

function describeReplicas(deployment: V1Deployment | undefined, { revision }: RolloutInputs): string {
  if (!deployment) return "the Deployment does not exist";
  const { availableReplicas = 0, updatedReplicas = 0 } = deployment.status ?? {};
  const updated = revision === undefined ? "" : `, ${updatedReplicas} have the current template`;
  return `${availableReplicas} of ${deployment.spec?.replicas ?? 0} replicas are available${updated}`;
}

function idOf({ namespace, deployment }: RolloutInputs): string {
  return `${namespace}/${deployment}`;
}

/** Whether the Deployment has the patch is compared here, because a refresh does not read it. */
async function adopt(context: Context, inputs: RolloutInputs): Promise<Adopted<Record<string, never>>> {
  const { namespace, deployment: name, patch } = inputs;
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  const live = await retryRequest(api, `reading ${idOf(inputs)}`, context.signal, () =>
    ignoreNotFound(api.apps.readNamespacedDeployment({ namespace, name })),
  );
  const isSame = live !== undefined && hasPatch(JSON.parse(JSON.stringify(live)), patch ?? {});
  if (!isSame) context.warn(`${idOf(inputs)} ${live ? "differs from the configuration" : "is missing"}`);
  return { id: idOf(inputs), outputs: {}, isUnfinished: !isSame };
}

/** A Deployment that another tool created (CoreDNS, by kubeadm): patched and Available. */
const rollout: Handler<typeof rolloutContract> = {
  contract: rolloutContract,
  replaceOn: ["caCertHash", "namespace", "deployment"],
  ignore: ["controlPlanes", "timeout"],
  async create(context, inputs) {
    await patchAndWait(context, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt,
  async update(context, _id, inputs) {
    await patchAndWait(context, inputs);
    return {};
  },
};

export const rolloutResource = register(rollout);
