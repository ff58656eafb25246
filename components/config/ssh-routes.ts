import { optional } from "../../common/optional";
import type { PoolHost } from "../machines/ssh";
import { EMPTY_SSH_CONFIG, type SshClientConfig, resolveRoute } from "../machines/ssh-route";
import type { WrittenConfig, WrittenPool } from "./schema";
import type { ConfigEnvironment } from "./types";

export function sshClientConfig({ ssh, fileExists }: ConfigEnvironment): SshClientConfig {
  return ssh ?? { ...EMPTY_SSH_CONFIG, fileExists };
}

/**
 * Resolves the SSH routes of all listed hosts. Aliases of ~/.ssh/config become addresses on the computer that runs
 * Pulumi, so that a preview shows them.
 */
export function withResolvedRoutes(written: WrittenConfig, environment: ConfigEnvironment): WrittenConfig {
  const client = sshClientConfig(environment);
  const resolveHost = <T extends PoolHost>(host: T): T => {
    const route = resolveRoute(host, client);
    return route.host === host.host ? route : { ...route, alias: host.host };
  };
  const resolvePool = (pool: WrittenPool): WrittenPool => ({ ...pool, hosts: pool.hosts.map(resolveHost) });
  const { machines, workers, pools } = written;
  const ssh = machines.ssh && { ...machines.ssh, hosts: machines.ssh.hosts.map(resolveHost) };
  return {
    ...written,
    machines: { ...machines, ...optional({ ssh }) },
    workers: resolvePool(workers),
    pools: Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, resolvePool(pool)])),
  };
}
