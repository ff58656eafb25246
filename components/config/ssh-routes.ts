import type { PoolHost } from "../machines/ssh";
import { NO_KNOWLEDGE, type SshKnowledge, resolveWay } from "../machines/ssh-route";
import type { WrittenConfig, WrittenPool } from "./schema";
import type { ConfigSurroundings } from "./types";

export function knowledgeOf({ ssh, fileExists }: ConfigSurroundings): SshKnowledge {
  return ssh ?? { ...NO_KNOWLEDGE, fileExists };
}

/** Every listed host with what ~/.ssh says of it: aliases become addresses here, on the controller, so that a preview shows where it leads. */
export function withWays(written: WrittenConfig, surroundings: ConfigSurroundings): WrittenConfig {
  const knowledge = knowledgeOf(surroundings);
  const resolved = <T extends PoolHost>(host: T): T => {
    const way = resolveWay(host, knowledge);
    return way.host === host.host ? way : { ...way, alias: host.host };
  };
  const pool = (given: WrittenPool): WrittenPool => ({ ...given, hosts: given.hosts.map(resolved) });
  const { machines, workers, pools } = written;
  const ssh = machines.ssh && { ...machines.ssh, hosts: machines.ssh.hosts.map(resolved) };
  return {
    ...written,
    machines: { ...machines, ...(ssh ? { ssh } : {}) },
    workers: pool(workers),
    pools: Object.fromEntries(Object.entries(pools).map(([name, given]) => [name, pool(given)])),
  };
}
