import { existsSync } from "node:fs";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { printable } from "../../common/printable";
import { run } from "../../common/process";
import { textOutput } from "../engine/outputs";

/**
 * Returns the output of `kubectl get nodes`; undefined where there is no cluster. The run has succeeded, so an API
 * server that cannot be reached from here is reported instead of the table, and is not an error.
 */
export async function closingTable(outputs: OutputMap): Promise<string | undefined> {
  const kubeconfig = textOutput(outputs, "kubeconfigPath");
  const kubectl = textOutput(outputs, "kubectlPath");
  if (!kubeconfig || !kubectl || !existsSync(kubeconfig)) return undefined;
  const { exitCode, stdout, stderr } = await run(
    kubectl,
    ["--kubeconfig", kubeconfig, "get", "nodes", "-o", "wide", "--request-timeout", "20s"],
    { reject: false },
  );
  if (exitCode === 0) return String(stdout);
  const reason = String(stderr).trim().split("\n").at(-1) ?? "";
  const cause = printable(reason || `kubectl ended with exit code ${String(exitCode)}`);
  return `The nodes cannot be listed: ${cause}; check that this computer reaches the address in ${kubeconfig}`;
}
