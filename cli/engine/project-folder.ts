import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { StepError } from "../../common/errors";
import { projectRoot } from "../../common/project-root";
import { userCommand } from "../../common/user-command";

/** `name` in Pulumi.yaml. */
export const PROJECT = "kubewright";

const VARIABLE = "KUBEWRIGHT_PROJECT";

/** The folder with the configuration and the state: one of the user's own, or the clone. */
export function projectFolder(): string {
  return process.env[VARIABLE] ?? projectRoot();
}

/** Whether the project is a clone, which contains the program. */
export function isClone(folder = projectFolder()): boolean {
  return existsSync(join(folder, "cli", "bootstrap.cjs"));
}

/**
 * Selects the project that KUBEWRIGHT_PROJECT names, or else the one that contains `start`.
 * @throws StepError where there is none, or where the folder belongs to another Pulumi project
 */
export function selectProject(start = process.env[VARIABLE] ?? process.cwd()): void {
  process.env[VARIABLE] = findProject(resolve(start));
}

function findProject(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, "Pulumi.yaml");
    if (existsSync(file)) return assertOwn(file);
    if (dirname(folder) === folder) throw missingProject(`neither ${start} nor a folder above it has a Pulumi.yaml`);
  }
}

function assertOwn(file: string): string {
  const { name } = (parse(readFileSync(file, "utf8")) ?? {}) as { name?: unknown };
  if (name === PROJECT) return dirname(file);
  throw missingProject(`${file} is the project ${JSON.stringify(name)}, not ${PROJECT}`);
}

function missingProject(cause: string): StepError {
  const init = userCommand("init");
  const action = `change to the folder of your project, or create one in an empty folder with \`${init}\``;
  return new StepError({ step: "finding the project", cause, action });
}
