import type { Problem } from "../fields/problems";
import type { PoolHost, SshHost } from "../machines/ssh";
import type { SshClientConfig } from "../machines/ssh-route";
import type { WrittenConfig, WrittenPool } from "./schema";

/** A pool with its number of machines. */
export type CountedPool = Omit<WrittenPool, "hosts"> & { count: number; hosts: PoolHost[] };

/**
 * The configuration with every default filled in. Where hosts are listed, the counts are the numbers of listed hosts.
 */
export type ClusterConfig = Omit<WrittenConfig, "workers" | "pools"> & {
  controlPlane: { count: number };
  workers: CountedPool;
  pools: Record<string, CountedPool>;
};

/** What a configuration is checked against, besides itself. */
export interface ConfigEnvironment {
  /** Versions of Kubernetes that versions.yaml lists: `1.36.3`. */
  kubernetesVersions: readonly string[];
  /** Whether a file exists on this computer. `~` is not expanded. */
  fileExists(path: string): boolean;
  /** The SSH configuration of this computer's user. Default: an empty one. */
  ssh?: SshClientConfig;
}

/** A problem that concerns several properties. It is not reported if one of them is wrong by itself. */
export type CrossProblem = Problem & {
  /** The other properties that the problem depends on. */
  about?: readonly string[];
};

/** Finds properties that are wrong together, or that cannot be checked from their text alone. */
export type CrossCheck = (
  config: ClusterConfig,
  environment: ConfigEnvironment,
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

/** All hosts that the configuration lists. */
export function listedHosts(
  config: Pick<WrittenConfig | ClusterConfig, "machines" | "workers" | "pools">,
): ListedHost[] {
  const withPaths = (path: string, hosts: readonly PoolHost[]) =>
    hosts.map((host, index) => ({ path: `${path}[${index}]`, host }));
  const pools = Object.entries(config.pools).flatMap(([name, { hosts }]) => withPaths(`pools.${name}.hosts`, hosts));
  return [
    ...withPaths("machines.ssh.hosts", sshHosts(config)),
    ...withPaths("workers.hosts", config.workers.hosts),
    ...pools,
  ];
}
