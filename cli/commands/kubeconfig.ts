import { existsSync } from "node:fs";
import { silent } from "../../common/progress";
import { StepError } from "../../common/errors";
import { parseOptions } from "../terminal/options";
import { findStack, prepareEngine } from "../engine/workspace";
import { textOf } from "../nodes/node-table";

/** `npm run -s kubeconfig`: the path alone, for `KUBECONFIG=$(npm run -s kubeconfig)`. */
export async function main(args: readonly string[]): Promise<number> {
  const { stack: name } = parseOptions(args);
  const path = await kubeconfigPath(name);
  if (!path || !existsSync(path)) {
    throw new StepError({
      step: "looking for the kubeconfig",
      cause: `stack "${name}" has no cluster`,
      action: "make one with `npm start`",
    });
  }
  process.stdout.write(`${path}\n`);
  return 0;
}

async function kubeconfigPath(name: string): Promise<string | undefined> {
  await prepareEngine(silent, new AbortController().signal);
  const stack = await findStack(name);
  return stack && textOf(await stack.outputs(), "kubeconfigPath");
}
