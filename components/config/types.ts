import type { Problem } from "../fields/problems";
import type { PoolHost, SshHost } from "../machines/ssh";
import type { SshKnowledge } from "../machines/ssh-route";
import type { WrittenConfig, WrittenPool } from "./schema";

/** A pool whose machines are counted. */
export type CountedPool = Omit<WrittenPool, "hosts"> & { count: number; hosts: PoolHost[] };

/** The configuration with every default filled in; the counts are those of the hosts where a list of hosts is given. */
export type ClusterConfig = Omit<WrittenConfig, "workers" | "pools"> & {
  controlPlane: { count: number };
  workers: CountedPool;
  pools: Record<string, CountedPool>;
};

/** What a configuration is judged against, besides itself. */
export interface ConfigSurroundings {
  /** Versions of Kubernetes that can be installed: `1.36.3`. */
  kubernetesVersions: readonly string[];
  /** Whether a file is on this computer, `~` not expanded. */
  fileExists(path: string): boolean;
  /** What this computer's ~/.ssh says of hosts; absent: nothing. */
  ssh?: SshKnowledge;
}

/** A problem, and the other properties that it depends on: when one of them is wrong by itself, this one says nothing new. */
export type CrossProblem = Problem & { about?: readonly string[] };

/** Judges what is only wrong together, or cannot be judged from the text alone. */
export type CrossCheck = (
  config: ClusterConfig,
  surroundings: ConfigSurroundings,
  written: WrittenConfig,
) => CrossProblem[];

export function sshHosts({ machines }: Pick<WrittenConfig, "machines">): readonly SshHost[] {
  return machines.ssh?.hosts ?? [];
}

export interface ListedHost {
  /** `machines.ssh.hosts[1]`, `workers.hosts[0]` */
  path: string;
  host: PoolHost;
}

/** Every machine that a person has written down, wherever. */
export function listedHosts(
  config: Pick<WrittenConfig | ClusterConfig, "machines" | "workers" | "pools">,
): ListedHost[] {
  const listed = (path: string, hosts: readonly PoolHost[]) =>
    hosts.map((host, index) => ({ path: `${path}[${index}]`, host }));
  const pools = Object.entries(config.pools).flatMap(([name, { hosts }]) => listed(`pools.${name}.hosts`, hosts));
  return [
    ...listed("machines.ssh.hosts", sshHosts(config)),
    ...listed("workers.hosts", config.workers.hosts),
    ...pools,
  ];
}
