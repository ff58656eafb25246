import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { obtainEngine } from "../../artifacts/engine";
import type { Progress } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { NO_PREVIEW_NOTES } from "../../provider/preview/preview-notes";
import { backendFolder, backendUrl, passphraseEnvironment } from "./paths";
import { writeProgramFiles } from "./program-files";
import { PROJECT, projectFolder } from "./project-folder";
import { removeEmptyAttributes } from "./state-attributes";

/**
 * Resources that the engine works on in parallel. Its default of 4 for each processor of the controller is too low: the
 * controller mostly waits for machines, and reads of one machine are batched only when they are requested together.
 */
const PARALLEL = 256;

/** Obtains the engine, and sets the environment that it and the program need. Returns the environment. */
export async function prepareEngine(progress: Progress, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  const engine = await obtainEngine(progress, signal);
  const environment = {
    ...engine.environment,
    [NO_PREVIEW_NOTES]: "1",
    PULUMI_PARALLEL: process.env.PULUMI_PARALLEL ?? String(PARALLEL),
    PULUMI_BACKEND_URL: backendUrl(),
    ...passphraseEnvironment(),
    NODE_OPTIONS: withPreload(process.env.NODE_OPTIONS),
  };
  process.env.PATH = [engine.binDir, process.env.PATH].join(delimiter);
  Object.assign(process.env, environment);
  const folder = backendFolder();
  if (folder) mkdirSync(dirname(folder), { recursive: true });
  return process.env;
}

/** Makes Pulumi's language host start the program without TypeScript, which takes a third of a second to load. */
export function withPreload(options = ""): string {
  const preload = `--require=${JSON.stringify(join(projectRoot(), "bin", "preload.cjs"))}`;
  return options.includes(preload) ? options : `${options} ${preload}`.trim();
}

/** Opens a stack, and creates it where it does not exist. Requires `prepareEngine`. */
export async function openStack(name: string): Promise<Stack> {
  return await Stack.createOrSelect(name, await workspace());
}

/**
 * Opens a new stack of the same name in a folder of its own, as if the user's state did not exist. Requires
 * `prepareEngine`.
 */
export async function openScratchStack(name: string, folder: string): Promise<Stack> {
  const envVars = { PULUMI_BACKEND_URL: `file://${folder}` };
  return await Stack.create(name, await workspace(envVars));
}

/** Opens a stack, or returns undefined where it does not exist. Requires `prepareEngine`. */
export async function findStack(name: string): Promise<Stack | undefined> {
  if (isKnownMissing(name)) return undefined;
  const project = await workspace();
  const stacks = await project.listStacks();
  return stacks.some((stack) => stack.name === name) ? await Stack.select(name, project) : undefined;
}

/**
 * Whether a file backend has no such stack. Works without the engine, which may have to be downloaded or built first.
 */
export function isKnownMissing(name: string): boolean {
  const root = backendFolder();
  return root !== undefined && !existsSync(join(root, "stacks", PROJECT, `${name}.json`));
}

/** @param envVars variables of the engine, in addition to those of this process */
async function workspace(envVars: Record<string, string> = {}): Promise<LocalWorkspace> {
  removeEmptyAttributes();
  writeProgramFiles();
  return await LocalWorkspace.create({ workDir: projectFolder(), envVars });
}
