import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import { projectRoot } from "../../common/project-root";

/** The kinds of machines that a new project can begin with: files in templates/project. */
export const TEMPLATES = ["docker", "vagrant", "hosts", "hetzner", "digitalocean", "aws"] as const;

/**
 * Writes the files of a new project. Keeps a .gitignore that exists.
 * @returns the names of the written files
 * @throws StepError where the folder has one of the other files already
 */
export function writeProject(folder: string, template: string, stack: string): string[] {
  const files = projectFiles(template, stack);
  const existing = Object.keys(files).filter((name) => name !== IGNORE && existsSync(join(folder, name)));
  if (existing.length > 0)
    throw new StepError({
      step: "creating the project",
      cause: `${folder} already has ${existing.join(" and ")}`,
      action: "choose another folder, or edit the existing files",
    });
  mkdirSync(folder, { recursive: true });
  const missing = Object.entries(files).filter(([name]) => !existsSync(join(folder, name)));
  for (const [name, source] of missing) writeFileSync(join(folder, name), readTemplate(source));
  return missing.map(([name]) => name);
}

const IGNORE = ".gitignore";

/** Names in the project, each with its name in templates/project. npm packs no file that is named .gitignore. */
function projectFiles(template: string, stack: string): Record<string, string> {
  return {
    "Pulumi.yaml": "Pulumi.yaml",
    [`Pulumi.${stack}.yaml`]: `${template}.yaml`,
    "kubewright.schema.json": "kubewright.schema.json",
    [IGNORE]: "gitignore",
  };
}

function readTemplate(name: string): string {
  return readFileSync(join(projectRoot(), "templates", "project", name), "utf8");
}
