import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { obtainEngine } from "../../artifacts/engine";
import type { Progress } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { OWN_WORDS } from "../../provider/preview/preview-notes";
import { backendFolder, backendUrl, passphraseEnvironment } from "./paths";

/** `name` in Pulumi.yaml. */
export const PROJECT = "kubewright";

/**
 * Resources at once, over all machines. The engine's own default is 4 for each processor of the controller, which mostly waits for machines:
 * ten of them would go by turns, and what is asked of one machine would come in many pieces instead of one.
 */
const PARALLEL = 256;

/** The engine on PATH and everything in the environment that Pulumi and our program want. */
export async function prepareEngine(progress: Progress, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  const engine = await obtainEngine(progress, signal);
  const ours = {
    ...engine.environment,
    [OWN_WORDS]: "1",
    PULUMI_PARALLEL: process.env.PULUMI_PARALLEL ?? String(PARALLEL),
    PULUMI_BACKEND_URL: backendUrl(),
    ...passphraseEnvironment(),
  };
  process.env.PATH = [engine.binDir, process.env.PATH].join(delimiter);
  Object.assign(process.env, ours);
  const state = backendFolder();
  if (state) mkdirSync(dirname(state), { recursive: true });
  return process.env;
}

/** The project's stack, made when it does not exist yet. Needs `prepareEngine`. */
export async function openStack(name: string): Promise<Stack> {
  return await Stack.createOrSelect(name, await workspace());
}

/** The project's stack, or undefined when there is none. Needs `prepareEngine`. */
export async function findStack(name: string): Promise<Stack | undefined> {
  if (isKnownMissing(name)) return undefined;
  const place = await workspace();
  const known = await place.listStacks();
  return known.some((stack) => stack.name === name) ? await Stack.select(name, place) : undefined;
}

/** A file backend can be asked without Pulumi, and so without an engine that may have to be built first. */
export function isKnownMissing(name: string): boolean {
  const root = backendFolder();
  return root !== undefined && !existsSync(join(root, "stacks", PROJECT, `${name}.json`));
}

async function workspace(): Promise<LocalWorkspace> {
  return await LocalWorkspace.create({ workDir: projectRoot() });
}
