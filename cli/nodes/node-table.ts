import { existsSync } from "node:fs";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { printable } from "../../common/printable";
import { run } from "../../common/process";

/**
 * `kubectl get nodes`, as a person knows it; undefined where there is no cluster. The run before it has succeeded: where this computer cannot
 * reach the API server (a cloud's private address, a machine that is off), that is said in the table's place, and is no failure.
 */
export async function nodeTable(outputs: OutputMap): Promise<string | undefined> {
  const kubeconfig = textOf(outputs, "kubeconfigPath");
  const kubectl = textOf(outputs, "kubectlPath");
  if (!kubeconfig || !kubectl || !existsSync(kubeconfig)) return undefined;
  const { exitCode, stdout, stderr } = await run(
    kubectl,
    ["--kubeconfig", kubeconfig, "get", "nodes", "-o", "wide", "--request-timeout", "20s"],
    { reject: false },
  );
  if (exitCode === 0) return String(stdout);
  const reason = String(stderr).trim().split("\n").at(-1) ?? "";
  return `The nodes cannot be shown: ${printable(reason || `kubectl ended with ${String(exitCode)}`)}; is the address in ${kubeconfig} one that this computer reaches?`;
}

export function textOf(outputs: OutputMap, name: string): string | undefined {
  const value: unknown = outputs[name]?.value;
  return typeof value === "string" ? value : undefined;
}
