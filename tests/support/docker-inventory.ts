import { output } from "../../common/process";

export interface Inventory {
  containers: string[];
  networks: string[];
  volumes: string[];
}

/**
 * Everything that Docker holds, to be compared before and after. Other runs on this machine may come and go: `ours`
 * picks what counts.
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
    // Volumes of machines have no names: they are told apart by what they belong to.
    volumes: await list("volume", "ls", "--format", "{{.Name}} {{.Labels}}"),
  };
}
