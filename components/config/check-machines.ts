import { problemsOfWay } from "../machines/ssh-route";
import { kindOf } from "./kinds";
import { controlPlaneNames, listedIn, madeNames, numberOf, poolsOf } from "./pools";
import { pathText } from "../fields/problems";
import type { WrittenConfig } from "./schema";
import { knowledgeOf } from "./ssh-routes";
import { type ClusterConfig, type ConfigSurroundings, type CrossProblem, listedHosts, sshHosts } from "./types";

export function etcdQuorum({ controlPlane: { count } }: ClusterConfig): CrossProblem[] {
  if (count % 2 === 1 || count === 0) return [];
  return [
    {
      path: "controlPlane.count",
      reason: `${count} control planes are an even number of etcd members, which survive no more failures than ${count - 1}`,
      action: `use ${count - 1} or ${count + 1}`,
    },
  ];
}

export function hostCounts(config: ClusterConfig, _: ConfigSurroundings, asWritten: WrittenConfig): CrossProblem[] {
  const roles = { controlPlane: "control-plane", workers: "worker" } as const;
  const found = (["controlPlane", "workers"] as const).flatMap((pool): CrossProblem[] => {
    if (kindOf(config, config[pool]).makes) return [];
    const [written, listed] = [
      asWritten[pool].count,
      sshHosts(config).filter(({ role }) => role === roles[pool]).length,
    ];
    if (written === undefined || written === listed) return [];
    return [
      {
        path: `${pool}.count`,
        reason: `is ${written}, but machines.ssh.hosts lists ${listed} with role ${roles[pool]}`,
        action: "leave it out, or change the list",
        about: ["machines"],
      },
    ];
  });
  if (config.controlPlane.count > 0) return found;
  return [
    ...found,
    { path: "machines.ssh.hosts", reason: "has no control plane", action: "give one host role: control-plane" },
  ];
}

/** Where machines are listed none are made, so a pool has those of its list. */
export function countedHosts(config: ClusterConfig, _: ConfigSurroundings, asWritten: WrittenConfig): CrossProblem[] {
  const listing = Object.entries(config.pools).filter(([, pool]) => !kindOf(config, pool).makes);
  return listing
    .filter(([name]) => (asWritten.pools[name]?.count ?? 0) > 0)
    .map(([name]) => ({
      path: `pools.${name}.count`,
      reason: "its machines are of kind ssh, so none is made",
      action: `list the pool's machines under pools.${name}.hosts`,
      about: ["machines", `pools.${name}.machines`],
    }));
}

export function hostsTwice(config: ClusterConfig): CrossProblem[] {
  const listed = listedHosts(config);
  const made = new Map([
    ...poolsOf(config).flatMap((pool) => madeNames(config, pool).map((name) => [name, pool.path] as const)),
    ...controlPlaneNames(config).map((name) => [name, "controlPlane"] as const),
  ]);
  return listed.flatMap(({ path, host }, index) => {
    const earlier = listed.slice(0, index);
    const sameName = earlier.find((other) => other.host.name === host.name)?.path ?? made.get(host.name);
    const sameAddress = earlier.find(
      ({ host: other }) => (other.privateAddress ?? other.host) === (host.privateAddress ?? host.host),
    )?.path;
    const found: CrossProblem[] = [];
    if (sameName !== undefined)
      found.push({
        path: `${path}.name`,
        reason: `${host.name} is the name of ${made.has(host.name) ? `a machine of ${sameName}` : sameName} too`,
        action: "give each machine its own name",
      });
    if (sameAddress !== undefined) found.push(addressTwice(path, sameAddress, host));
    return found;
  });
}

function addressTwice(
  path: string,
  first: string,
  host: { host: string; privateAddress?: string | undefined },
): CrossProblem {
  const property = host.privateAddress === undefined ? "host" : "privateAddress";
  return {
    path: `${path}.${property}`,
    reason: `${host[property] ?? ""} is the address of ${first} too`,
    action: "give each machine its own; behind one address with several ports, set each one's privateAddress",
  };
}

/** Judged as it is written: the configuration has what came of it. */
export function ways(_: ClusterConfig, surroundings: ConfigSurroundings, asWritten: WrittenConfig): CrossProblem[] {
  return listedHosts(asWritten).flatMap(({ path, host }) =>
    problemsOfWay(host, knowledgeOf(surroundings)).map(({ property, reason, action }) => ({
      path: `${path}.${property}`,
      reason,
      action,
    })),
  );
}

/** A name with a number may be of a machine that is not there now; any other is a slip of the pen. */
export function namedNodes(config: ClusterConfig): CrossProblem[] {
  return poolsOf(config).flatMap((pool) => {
    const listed = listedIn(config, pool).map(({ name }) => name);
    const known = (name: string) => numberOf(pool.name, name) !== undefined || listed.includes(name);
    const place = pool.path.split(".");
    return Object.keys(pool.nodes)
      .filter((name) => !known(name))
      .map((name) => ({
        path: pathText([...place, "nodes", name]),
        reason: `${name} is no machine of this pool`,
        action: `use a name like ${[...madeNames(config, pool), ...listed, `${pool.name}-1`][0] ?? ""}`,
      }));
  });
}
