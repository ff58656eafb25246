import { existsSync } from "node:fs";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { output } from "./exec";

/** `kubectl get nodes`, as a person knows it; undefined where there is no cluster. */
export async function nodeTable(outputs: OutputMap): Promise<string | undefined> {
  const kubeconfig = textOf(outputs, "kubeconfigPath");
  const kubectl = textOf(outputs, "kubectlPath");
  if (!kubeconfig || !kubectl || !existsSync(kubeconfig)) return undefined;
  return await output(kubectl, ["--kubeconfig", kubeconfig, "get", "nodes", "-o", "wide", "--request-timeout", "20s"]);
}

export function textOf(outputs: OutputMap, name: string): string | undefined {
  const value: unknown = outputs[name]?.value;
  return typeof value === "string" ? value : undefined;
}
