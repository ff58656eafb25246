import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import type { KubeClients } from "./clients";
import { ignoreNotFound, reasonOf } from "./errors";

/** How a node is reached. */
export interface NodeRoute {
  /** Name of the node. */
  name: string;
  /** Connections to the control planes. The API server is reached through the first one that answers. */
  controlPlanes: readonly Connection[];
}

/** Reads a node while its API server may restart. @returns the reason where there is no answer */
export async function readNodeOrCause(
  { kube, signal }: { kube: Pick<KubeClients, "api">; signal: AbortSignal },
  { name, controlPlanes }: NodeRoute,
): Promise<V1Node | string> {
  try {
    const api = await kube.api(controlPlanes, signal);
    return (await ignoreNotFound(api.core.readNode({ name }))) ?? `node ${name} has not registered`;
  } catch (error) {
    signal.throwIfAborted();
    return `the API server does not answer: ${error instanceof StepError ? messageOf(error) : reasonOf(error)}`;
  }
}
