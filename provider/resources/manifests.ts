import type { Inputs } from "../../contracts/contract";
import { manifestsContract } from "../../contracts/kube/manifests";
import type { KubernetesObject } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { ignoreNotFound } from "../kube/errors";
import { retryRequest } from "../kube/retry";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import { readCluster } from "./read-cluster";

const FIELD_MANAGER = "kubewright";

type ManifestsInputs = Inputs<typeof manifestsContract>;

type Manifest = ManifestsInputs["objects"][string];

/** Kinds that are applied first: those that other objects require, then those that pods wait for. The rest follows. */
const STAGES: readonly (readonly string[])[] = [
  ["Namespace", "CustomResourceDefinition"],
  ["ServiceAccount", "Secret", "ConfigMap", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service"],
];

/** Returns the objects in stages. The objects of one stage are applied in parallel. */
export function applyOrder(objects: readonly Manifest[]): Manifest[][] {
  const rank = ({ kind }: Manifest) => {
    const stage = STAGES.findIndex((kinds) => kinds.includes(kind));
    return stage < 0 ? STAGES.length : stage;
  };
  return [...STAGES.keys(), STAGES.length]
    .map((stage) => objects.filter((object) => rank(object) === stage))
    .filter((stage) => stage.length > 0);
}

/** Applies the objects server-side (KEP-555): owns the fields that they name, and leaves all others to their owners. */
async function apply(context: Context, api: KubeApi, objects: Record<string, Manifest>): Promise<void> {
  const { PatchStrategy } = await import("@kubernetes/client-node");
  const put = (object: Manifest) =>
    retryRequest(api, `applying ${labelOf(object)}`, context.signal, () =>
      api.objects.patch(
        object as KubernetesObject,
        undefined,
        undefined,
        FIELD_MANAGER,
        true,
        PatchStrategy.ServerSideApply,
      ),
    );
  for (const stage of applyOrder(Object.values(objects))) {
    context.status(`applying ${stage.map(labelOf).join(", ")}`);
    await Promise.all(stage.map(put));
  }
}

function labelOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}

/**
 * Kinds with pods. Their deletion waits for the pods, so that the leftovers on a machine can be removed afterwards.
 */
const WORKLOADS = ["DaemonSet", "Deployment"];
const WORKLOAD_SECONDS = 90;

async function remove(context: Context, api: KubeApi, objects: readonly Manifest[]): Promise<void> {
  for (const stage of applyOrder(objects).reverse())
    await Promise.all(stage.map((object) => removeOne(context, api, object)));
}

async function removeOne(context: Context, api: KubeApi, object: Manifest): Promise<void> {
  const { signal } = context;
  const header = object as KubernetesObject & { metadata: { name: string } };
  const workload = WORKLOADS.includes(object.kind);
  const propagation = workload ? "Foreground" : undefined;
  await retryRequest(api, `deleting ${labelOf(object)}`, signal, () =>
    ignoreNotFound(api.objects.delete(header, undefined, undefined, undefined, undefined, propagation)),
  );
  if (!workload) return;
  context.status(`waiting for the pods of ${labelOf(object)} to end`);
  await until(
    async () =>
      (await retryRequest(api, `reading ${labelOf(object)}`, signal, () => ignoreNotFound(api.objects.read(header))))
        ? undefined
        : true,
    {
      signal,
      timeout: WORKLOAD_SECONDS,
      patience: api.patience,
      onTimeout: (seconds) =>
        new StepError({
          step: `deleting ${labelOf(object)}`,
          cause: `its pods still exist after ${seconds} s`,
          action: "check that the controller manager runs and the nodes are Ready",
        }),
    },
  );
}

/** Reduces the live object to the fields of the configured one, so that only their changes are drift. */
export function projectOnto(configured: unknown, live: unknown): unknown {
  if (Array.isArray(configured) && Array.isArray(live)) {
    return live.length === configured.length ? configured.map((inner, index) => projectOnto(inner, live[index])) : live;
  }
  if (!isRecord(configured) || !isRecord(live)) return live;
  return Object.fromEntries(
    Object.keys(configured)
      .filter((key) => key in live)
      .map((key) => [key, projectOnto(configured[key], live[key])]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readObjects(
  context: Context,
  api: KubeApi,
  objects: Record<string, Manifest>,
): Promise<Record<string, Manifest>> {
  const entries = await Promise.all(
    Object.entries(objects).map(async ([name, object]) => {
      const header = object as KubernetesObject & { metadata: { name: string } };
      const live = await retryRequest(api, `reading ${labelOf(object)}`, context.signal, () =>
        ignoreNotFound(api.objects.read(header)),
      );
      return live ? [[name, projectOnto(object, JSON.parse(JSON.stringify(live))) as Manifest] as const] : [];
    }),
  );
  return Object.fromEntries(entries.flat());
}

/** A group of Kubernetes objects, such as those of an add-on. */
const manifests: Handler<typeof manifestsContract> = {
  contract: manifestsContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes"],
  async create(context, inputs) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    context.begin();
    await apply(context, api, inputs.objects);
    return { id: context.name, outputs: {} };
  },
  adopt: adoptById((_inputs, { name }) => name),
  async update(context, _id, inputs, old) {
    const api = await context.kube.api(inputs.controlPlanes, context.signal);
    context.begin();
    const dropped = Object.entries(old.inputs.objects).filter(([name]) => !(name in inputs.objects));
    await remove(
      context,
      api,
      dropped.map(([, object]) => object),
    );
    await apply(context, api, inputs.objects);
    return {};
  },
  read: (context, _id, old) =>
    readCluster(context, old, async () => {
      const api = await context.kube.api(old.inputs.controlPlanes, context.signal);
      const objects = await readObjects(context, api, old.inputs.objects);
      const isGone = Object.keys(objects).length === 0 && !old.unfinished;
      return isGone ? undefined : { ...old, inputs: { ...old.inputs, objects } };
    }),
  async delete(context, _id, { inputs }) {
    await remove(context, await context.kube.api(inputs.controlPlanes, context.signal), Object.values(inputs.objects));
  },
};

export const manifestsResource = register(manifests);
