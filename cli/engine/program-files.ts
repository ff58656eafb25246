import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../common/project-root";
import { isClone, projectFolder } from "./project-folder";
import { hiddenFolder } from "./paths";

/** Program of a project outside the clone, relative to its folder: `main` in its Pulumi.yaml. */
export const PROGRAM = ".kubewright/program/index.js";
/** Folder of the provider, relative to the folder of the project. */
export const PROVIDER_FOLDER = ".kubewright/program/node_modules/kubewright/bin";

/**
 * Writes the program of a project outside the clone. Pulumi requires it inside the project. It only runs the program
 * of this package, which may be in another place in each run, such as npx's cache.
 */
export function writeProgramFiles(): void {
  if (isClone()) return;
  const folder = join(hiddenFolder(), "program");
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "@pulumi"), { recursive: true });
  link(join(packages, "kubewright"), projectRoot());
  link(join(packages, "@pulumi", "pulumi"), packageFolder("@pulumi/pulumi"));
  const file = join(folder, "index.js");
  const text = programText(projectFolder());
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

function programText(folder: string): string {
  const lines = [
    "// Written by Kubewright in each run.",
    `const root = ${JSON.stringify(projectRoot())};`,
    `process.chdir(${JSON.stringify(folder)}); // relative paths of the configuration begin here`,
    "module.exports = require(root + '/bin/program.cjs');",
  ];
  return `${lines.join("\n")}\n`;
}

/** Where a dependency of this package is installed. */
function packageFolder(name: string): string {
  return dirname(createRequire(join(projectRoot(), "package.json")).resolve(`${name}/package.json`));
}

function link(path: string, target: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(path) === target) return;
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path, "dir");
}
