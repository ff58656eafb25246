import { relative, resolve } from "node:path";
import { writeProject } from "../engine/project-templates";
import { stackCommand, type Options } from "../terminal/options";

/** `kubewright init --template hosts`: creates a project of the user's own. */
export async function run({ stack, values, words }: Options): Promise<number> {
  const folder = resolve(words[0] ?? ".");
  const files = writeProject(folder, values.template ?? "docker", stack);
  const change = relative(process.cwd(), folder);
  process.stdout.write(
    `Created ${files.join(", ")} in ${folder}.\n` +
      `Edit Pulumi.${stack}.yaml, then create the cluster:\n\n` +
      `${change === "" ? "" : `  cd ${change}\n`}  ${stackCommand("up", stack)}\n`,
  );
  return 0;
}
