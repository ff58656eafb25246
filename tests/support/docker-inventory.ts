import { output } from "../../common/process";

export interface Inventory {
  containers: string[];
  networks: string[];
  volumes: string[];
}

/** Lists the containers, networks and volumes that `isOurs` accepts, to compare them before and after a test. */
export async function inventory(isOurs: (name: string) => boolean): Promise<Inventory> {
  const list = async (...args: string[]) =>
    (await output("docker", args))
      .split("\n")
      .filter((name) => name !== "" && isOurs(name))
      .sort();
  return {
    containers: await list("ps", "-a", "--format", "{{.Names}}"),
    networks: await list("network", "ls", "--format", "{{.Name}}"),
    // The volumes of machines have no names; their labels tell whose they are.
    volumes: await list("volume", "ls", "--format", "{{.Name}} {{.Labels}}"),
  };
}
