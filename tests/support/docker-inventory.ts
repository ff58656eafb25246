import { output } from "../../common/process";

export interface Inventory {
  containers: string[];
  networks: string[];
  volumes: string[];
}

/**
 * Lists everything that Docker has, for a comparison of before and after. Other runs on this computer may change it
 * too: `ours` selects what counts.
 */
export async function inventory(ours: (name: string) => boolean): Promise<Inventory> {
  const list = async (...args: string[]) =>
    (await output("docker", args))
      .split("\n")
      .filter((name) => name !== "" && ours(name))
      .sort();
  return {
    containers: await list("ps", "-a", "--format", "{{.Names}}"),
    networks: await list("network", "ls", "--format", "{{.Name}}"),
    // Volumes of machines have no names: what they belong to distinguishes them.
    volumes: await list("volume", "ls", "--format", "{{.Name}} {{.Labels}}"),
  };
}
