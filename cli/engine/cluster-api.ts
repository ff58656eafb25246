import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { stackCommand } from "../terminal/options";
import type { Session } from "./session";
import { writeMissingKeys } from "./missing-keys";
import { controlPlanes } from "./state";
import { findStack } from "./workspace";

/**
 * Connects to the cluster's API through SSH to a control plane. The address in the kubeconfig may be a private one,
 * which this computer cannot reach, or which belongs to another network here.
 * @throws StepError where the stack has no cluster, or no control plane answers
 */
export async function clusterApi(
  stack: Stack,
  { provider, signal }: Pick<Session, "provider" | "signal">,
): Promise<KubeApi> {
  const machines = await controlPlanes(stack);
  if (machines.length === 0) throw missingCluster(stack.name);
  return await provider.kube.api(machines, signal);
}

/** Returns the stack of a command, whose keys this computer then has. @throws StepError where it does not exist */
export async function requireStack(name: string): Promise<Stack> {
  const stack = await findStack(name);
  if (!stack) throw missingCluster(name);
  await writeMissingKeys(stack);
  return stack;
}

export function missingCluster(stack: string): StepError {
  return new StepError({
    step: "reading the stack",
    cause: `stack "${stack}" has no cluster`,
    action: `create one with \`${stackCommand("up", stack)}\``,
  });
}
