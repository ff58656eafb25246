import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { StepError } from "../../common/errors";
import { projectRoot } from "../../common/project-root";

/** The kinds of machines that a new project can begin with: files in templates/project. */
export const TEMPLATES = ["docker", "vagrant", "hosts", "hetzner", "digitalocean", "aws"] as const;

/** The languages of a program of the user's own: folders in templates/project/languages. `pulumi new` uses them too. */
export const LANGUAGES = ["typescript", "python", "yaml"] as const;

/** What a new project contains. */
export interface NewProject {
  template: string;
  stack: string;
  /** Default: no program; Kubewright's own program runs. */
  language?: string | undefined;
}

/**
 * Writes the files of a new project. Keeps a .gitignore that exists.
 * @returns the names of the written files
 * @throws StepError where the folder has one of the other files already
 */
export function writeProject(folder: string, project: NewProject): string[] {
  const files = projectFiles(project);
  const existing = Object.keys(files).filter((name) => name !== IGNORE && existsSync(join(folder, name)));
  if (existing.length > 0)
    throw new StepError({
      step: "creating the project",
      cause: `${folder} already has ${existing.join(" and ")}`,
      action: "choose another folder, or edit the existing files",
    });
  mkdirSync(folder, { recursive: true });
  const missing = Object.entries(files).filter(([name]) => !existsSync(join(folder, name)));
  for (const [name, text] of missing) writeProjectFile(join(folder, name), text);
  return missing.map(([name]) => name);
}

function writeProjectFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
}

const IGNORE = ".gitignore";

/** Returns the text of each file. npm packs no file that is named .gitignore. */
function projectFiles({ template, stack, language }: NewProject): Record<string, string> {
  return {
    ...(language === undefined ? { "Pulumi.yaml": readTemplate("Pulumi.yaml") } : programFiles(language)),
    [`Pulumi.${stack}.yaml`]: readTemplate(`${template}.yaml`),
    "kubewright.schema.json": readTemplate("kubewright.schema.json"),
    [IGNORE]: `${readTemplate("gitignore")}${language === "python" ? "__pycache__/\nvenv/\n" : ""}`,
  };
}

function programFiles(language: string): Record<string, string> {
  const folder = join("languages", language);
  const names = filesBelow(join(projectRoot(), "templates", "project", folder));
  const files = Object.fromEntries(names.map((name) => [name, readTemplate(join(folder, name))]));
  return { ...files, "Pulumi.yaml": withoutTemplate(files["Pulumi.yaml"] ?? "") };
}

/** Names of all files, relative to the folder. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return entries.filter((name) => statSync(join(folder, name)).isFile());
}

/** Removes the section that only `pulumi new` reads. */
function withoutTemplate(project: string): string {
  const document = parseDocument(project);
  document.delete("template");
  return document.toString({ lineWidth: 0 });
}

function readTemplate(name: string): string {
  return readFileSync(join(projectRoot(), "templates", "project", name), "utf8");
}
