import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../common/process";
import { requirement, type Requirement } from "./requirement";

/** Vagrant, with its built-in docker provider. Installed by the test where possible. */
export async function vagrantAvailable(): Promise<Requirement> {
  const present = () => (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, "vagrant")));
  return await requirement("vagrant", present, ["vagrant"]);
}

/** Runs Vagrant itself, without the provider. @returns its output */
export async function vagrantIn(folder: string, ...args: string[]): Promise<string> {
  const { all } = await run("vagrant", args, {
    cwd: folder,
    env: { VAGRANT_CHECKPOINT_DISABLE: "1" },
    all: true,
    stdin: "ignore",
  });
  return typeof all === "string" ? all : "";
}
