import { relative, resolve } from "node:path";
import { writeProject } from "../engine/project-templates";
import { stackCommand, type Options } from "../terminal/options";

/** Commands that install what a program needs, by its language. */
const INSTALLATIONS: Readonly<Record<string, readonly string[]>> = {
  typescript: ["npm install"],
  python: ["npm install", "python3 -m venv venv && venv/bin/pip install -r requirements.txt"],
  yaml: ["npm install"],
};

/** `kubewright init --template hosts`: creates a project of the user's own. */
export async function run({ stack, values, words }: Options): Promise<number> {
  const { template = "docker", language } = values;
  const folder = resolve(words[0] ?? ".");
  const files = writeProject(folder, { template, stack, language });
  const change = relative(process.cwd(), folder);
  const commands = [
    ...(change === "" ? [] : [`cd ${change}`]),
    ...(INSTALLATIONS[language ?? ""] ?? []),
    stackCommand("up", stack),
  ];
  process.stdout.write(
    `Created ${files.join(", ")} in ${folder}.\n` +
      `Edit Pulumi.${stack}.yaml, then create the cluster:\n\n` +
      commands.map((command) => `  ${command}\n`).join(""),
  );
  return 0;
}
