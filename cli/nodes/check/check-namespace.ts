import { randomBytes } from "node:crypto";
import { timeoutSignal } from "../../../common/timer";
import { StepError } from "../../../common/errors";
import { until } from "../../../common/wait";
import type { KubeApi } from "../../../provider/kube/api";
import { ignoreNotFound } from "../../../provider/kube/errors";
import { retryRequest } from "../../../provider/kube/retry";
import { CHECK_LABEL, checkNamespace } from "./check-objects";

/** Milliseconds after which a namespace was left by an interrupted check. */
const OLD_MS = 600_000;
const REMOVAL_SECONDS = 60;

/** Does the work in a new namespace, and removes it, also after a failure or an interruption. */
export async function withCheckNamespace<T>(
  api: KubeApi,
  signal: AbortSignal,
  work: (namespace: string) => Promise<T>,
): Promise<T> {
  await removeOldNamespaces(api, signal);
  const name = `kubewright-check-${randomBytes(3).toString("hex")}`;
  try {
    await retryRequest(api, "creating a namespace", signal, () =>
      api.core.createNamespace({ body: checkNamespace(name) }),
    );
    return await work(name);
  } finally {
    await removeNamespace(api, name, signal.aborted ? timeoutSignal(5_000) : signal);
  }
}

async function removeOldNamespaces(api: KubeApi, signal: AbortSignal): Promise<void> {
  const { items } = await retryRequest(api, "listing the namespaces of checks", signal, () =>
    api.core.listNamespace({ labelSelector: CHECK_LABEL }),
  );
  const isOld = (created: Date | undefined) => Date.now() - new Date(created ?? 0).getTime() > OLD_MS;
  for (const { metadata } of items)
    if (isOld(metadata?.creationTimestamp)) await deleteNamespace(api, metadata?.name ?? "", signal);
}

/** After an interruption the removal is only begun. */
async function removeNamespace(api: KubeApi, name: string, signal: AbortSignal): Promise<void> {
  await deleteNamespace(api, name, signal);
  if (signal.aborted) return;
  const isGone = async () => {
    const read = () => ignoreNotFound(api.core.readNamespace({ name }));
    return (await retryRequest(api, "reading a namespace", signal, read)) === undefined ? true : undefined;
  };
  const onTimeout = () =>
    new StepError({
      step: "removing the namespace of the check",
      cause: `${name} still exists`,
      action: `run \`kubectl get namespace ${name} -o yaml\`, whose status names what remains in it`,
    });
  await until(isGone, { signal, timeout: REMOVAL_SECONDS, patience: api.patience, onTimeout });
}

async function deleteNamespace(api: KubeApi, name: string, signal: AbortSignal): Promise<void> {
  await retryRequest(api, `removing namespace ${name}`, signal, () =>
    ignoreNotFound(api.core.deleteNamespace({ name })),
  );
}
