import { routeProblems } from "../machines/ssh-route";
import { kindOf } from "./kinds";
import { controlPlaneNames, listedIn, madeNames, numberOf, poolsOf } from "./pools";
import { pathText } from "../fields/problems";
import type { WrittenConfig } from "./schema";
import { sshClientConfig } from "./ssh-routes";
import { type ClusterConfig, type ConfigEnvironment, type CrossProblem, listedHosts, sshHosts } from "./types";

/** Refuses an even number of control planes. */
export function etcdQuorum({ controlPlane: { count } }: ClusterConfig): CrossProblem[] {
  if (count % 2 === 1 || count === 0) return [];
  return [
    {
      path: "controlPlane.count",
      reason: `etcd with ${count} members, an even number, tolerates no more failures than with ${count - 1}`,
      action: `use ${count - 1} or ${count + 1}`,
    },
  ];
}

/** Refuses a count that differs from the number of listed hosts. */
export function hostCounts(config: ClusterConfig, _: ConfigEnvironment, written: WrittenConfig): CrossProblem[] {
  const roles = { controlPlane: "control-plane", workers: "worker" } as const;
  const problems = (["controlPlane", "workers"] as const).flatMap((pool): CrossProblem[] => {
    if (kindOf(config, config[pool]).makes) return [];
    const { count } = written[pool];
    const listed = sshHosts(config).filter(({ role }) => role === roles[pool]).length;
    if (count === undefined || count === listed) return [];
    return [
      {
        path: `${pool}.count`,
        reason: `is ${count}, but machines.ssh.hosts lists ${listed} with role ${roles[pool]}`,
        action: "leave it out, or change the list",
        about: ["machines"],
      },
    ];
  });
  if (config.controlPlane.count > 0) return problems;
  return [
    ...problems,
    { path: "machines.ssh.hosts", reason: "has no control plane", action: "give one host role: control-plane" },
  ];
}

/** Refuses a count of a pool whose machines are listed. */
export function countedHosts(config: ClusterConfig, _: ConfigEnvironment, written: WrittenConfig): CrossProblem[] {
  const listing = Object.entries(config.pools).filter(([, pool]) => !kindOf(config, pool).makes);
  return listing
    .filter(([name]) => (written.pools[name]?.count ?? 0) > 0)
    .map(([name]) => ({
      path: `pools.${name}.count`,
      reason: "the pool's machines are of kind ssh, of which none is created",
      action: `list the pool's machines under pools.${name}.hosts`,
      about: ["machines", `pools.${name}.machines`],
    }));
}

/** Refuses two machines with the same name or address. */
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
    const problems: CrossProblem[] = [];
    if (sameName !== undefined)
      problems.push({
        path: `${path}.name`,
        reason: `${host.name} is also the name of ${made.has(host.name) ? `a machine of ${sameName}` : sameName}`,
        action: "give each machine another name",
      });
    if (sameAddress !== undefined) problems.push(addressTwice(path, sameAddress, host));
    return problems;
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
    reason: `${host[property] ?? ""} is also the address of ${first}`,
    action: "give each machine another address; if they share one address with different ports, set privateAddress",
  };
}

/** Finds problems of SSH routes as they are written; the configuration itself has the resolved ones. */
export function sshRoutes(_: ClusterConfig, environment: ConfigEnvironment, written: WrittenConfig): CrossProblem[] {
  return listedHosts(written).flatMap(({ path, host }) =>
    routeProblems(host, sshClientConfig(environment)).map(({ property, reason, action }) => ({
      path: `${path}.${property}`,
      reason,
      action,
    })),
  );
}

/** Refuses settings of nodes that the pool cannot have. A numbered node may be one that does not exist now. */
export function nodeOverrides(config: ClusterConfig): CrossProblem[] {
  return poolsOf(config).flatMap((pool) => {
    const listed = listedIn(config, pool).map(({ name }) => name);
    const canExist = (name: string) => numberOf(pool.name, name) !== undefined || listed.includes(name);
    const poolPath = pool.path.split(".");
    return Object.keys(pool.nodes)
      .filter((name) => !canExist(name))
      .map((name) => ({
        path: pathText([...poolPath, "nodes", name]),
        reason: `the pool has no machine named ${name}`,
        action: `use a name like ${[...madeNames(config, pool), ...listed, `${pool.name}-1`][0] ?? ""}`,
      }));
  });
}
