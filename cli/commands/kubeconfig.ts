import { existsSync } from "node:fs";
import { silent } from "../../common/progress";
import { missingCluster } from "../engine/cluster-api";
import { findStack, prepareEngine } from "../engine/workspace";
import { textOutput } from "../engine/outputs";
import type { Options } from "../terminal/options";

/** `npm run -s kubeconfig`: prints the path alone, for `KUBECONFIG=$(npm run -s kubeconfig)`. */
export async function run({ stack }: Options): Promise<number> {
  const path = await kubeconfigPath(stack);
  if (!path || !existsSync(path)) throw missingCluster(stack);
  process.stdout.write(`${path}\n`);
  return 0;
}

async function kubeconfigPath(name: string): Promise<string | undefined> {
  await prepareEngine(silent, new AbortController().signal);
  const stack = await findStack(name);
  return stack && textOutput(await stack.outputs(), "kubeconfigPath");
}
