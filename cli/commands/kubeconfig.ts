import { existsSync } from "node:fs";
import type { Stack } from "@pulumi/pulumi/automation";
import { messageOf } from "../../common/errors";
import { silent } from "../../common/progress";
import { createProviderContext } from "../../provider/context/context";
import { selectReadyControlPlane, writeKubeconfig } from "../../provider/resources/kubeconfig";
import { DEFAULT_SETTINGS } from "../../provider/settings/settings";
import { missingCluster } from "../engine/cluster-api";
import { writeMissingKeys } from "../engine/missing-keys";
import { contextName, mergeKubeconfig } from "../engine/merge-kubeconfig";
import { pathOutput } from "../engine/outputs";
import { recordedKubeconfig } from "../engine/state";
import { findStack, prepareEngine } from "../engine/workspace";
import type { Options } from "../terminal/options";

/**
 * `npm run -s kubeconfig`: prints the path alone, for `KUBECONFIG=$(npm run -s kubeconfig)`. A file that is not on this
 * computer is written first. If the kubeconfig names a control plane whose API server is not ready, the file names
 * another one from now on.
 */
export async function run({ stack: name, flags }: Options): Promise<number> {
  await prepareEngine(silent, new AbortController().signal);
  const stack = await findStack(name);
  const path = stack && pathOutput(await stack.outputs(), "kubeconfigPath");
  if (!stack || !path) throw missingCluster(name);
  await writeMissingKeys(stack);
  await writeMissingFile(stack, path);
  if (!existsSync(path)) throw missingCluster(name);
  await selectControlPlane(stack).catch((error: unknown) => {
    process.stderr.write(`the kubeconfig was not checked: ${messageOf(error)}\n`);
  });
  if (flags.has("merge"))
    process.stdout.write(
      `${await mergeKubeconfig(name, path)} has the context ${contextName(name)}, which is the current one.\n`,
    );
  else process.stdout.write(`${path}\n`);
  return 0;
}

async function selectControlPlane(stack: Stack): Promise<void> {
  const recorded = await recordedKubeconfig(stack);
  // A single control plane, or an address of the user's own, leaves no choice.
  if (!recorded || new Set(recorded.inputs.endpoints).size < 2) return;
  await withReader((context) => selectReadyControlPlane(context, recorded));
}

/** Reads the kubeconfig from a control plane where another computer has the file. */
async function writeMissingFile(stack: Stack, path: string): Promise<void> {
  const recorded = existsSync(path) ? undefined : await recordedKubeconfig(stack);
  if (recorded) await withReader((context) => writeKubeconfig(context, recorded.inputs, recorded));
}

async function withReader(work: (context: Parameters<typeof writeKubeconfig>[0]) => Promise<unknown>): Promise<void> {
  const provider = createProviderContext({ ...DEFAULT_SETTINGS, agentSocket: process.env.SSH_AUTH_SOCK });
  try {
    await work({ kube: provider.kube, signal: new AbortController().signal, status: silent });
  } finally {
    provider.connections.closeAll(); // an open connection would keep the process alive
  }
}
