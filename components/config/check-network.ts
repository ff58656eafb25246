import { type Cidr, includes, isOverlapping, parseCidr } from "../../render/cidr";
import { pathText } from "../fields/problems";
import { KINDS } from "./machine-kinds";
import { sharedSettings } from "./kinds";
import { listedIn, madeNames, poolsOf } from "./pools";
import { type ClusterConfig, type CrossProblem, listedHosts } from "./types";

/** Refuses ranges that overlap each other, or that contain an address of a listed host. */
export function rangesOverlap(config: ClusterConfig): CrossProblem[] {
  const ranges = [
    ["network.podCidr", config.network.podCidr],
    ["network.serviceCidr", config.network.serviceCidr],
  ] as const;
  const others: [string, string][] = [...ranges.map(([path, text]): [string, string] => [path, text])];
  for (const kind of KINDS) {
    const kindRanges = Object.entries(kind.ranges?.(sharedSettings(config, kind)) ?? {});
    others.push(...kindRanges.map(([property, text]): [string, string] => [`machines.${kind.name}.${property}`, text]));
  }
  const problems = others.flatMap(([path, text], index) =>
    others
      .slice(0, index)
      .filter(
        ([earlierPath, earlier]) => overlapping(earlier, text) && !sameNetwork(path, earlierPath, text === earlier),
      )
      .map(([earlierPath, earlier]) => ({
        path,
        reason: `${text} overlaps ${earlierPath} ${earlier}`,
        action: "choose ranges that share no address",
        about: [earlierPath],
      })),
  );
  return [...problems, ...hostsInRanges(config, ranges)];
}

/** Machines of two kinds may be on one network, which both kinds then set to the same range. */
function sameNetwork(one: string, other: string, equal: boolean): boolean {
  return equal && [one, other].every((path) => path.startsWith("machines."));
}

function hostsInRanges(config: ClusterConfig, ranges: readonly (readonly [string, string])[]): CrossProblem[] {
  return listedHosts(config).flatMap(({ path: hostPath, host }) =>
    ranges.flatMap(([path, text]) => {
      const address = host.privateAddress ?? host.host;
      const cidr = parseCidr(text);
      if (cidr === undefined || !includes(cidr, address)) return [];
      return [
        {
          path: hostPath,
          reason: `its address ${address} is inside ${path} ${text}`,
          action: `choose another ${path}`,
          about: [path],
        },
      ];
    }),
  );
}

/** Checks kubeadm's limits MinimumAddressesInServiceSubnet (10) and MaximumBitsForServiceSubnet (20). */
export function serviceRangeSize({ network: { serviceCidr } }: ClusterConfig): CrossProblem[] {
  const prefix = parseCidr(serviceCidr)?.prefix;
  if (prefix === undefined || (prefix >= 12 && prefix <= 28)) return [];
  const reason =
    prefix > 28
      ? `${serviceCidr} is too small: kubeadm requires 10 addresses`
      : `${serviceCidr} is too large: kubeadm allows 20 bits`;
  return [{ path: "network.serviceCidr", reason, action: "use a prefix length from /12 to /28" }];
}

/**
 * Checks that the pod range has a part for each node, and kubeadm's limit of 16 bits between the two
 * (PodSubnetNodeMaskMaxDiff).
 */
export function podRangeSize(config: ClusterConfig): CrossProblem[] {
  const { podCidr, nodeMaskSize } = config.network;
  const prefix = parseCidr(podCidr)?.prefix;
  if (prefix === undefined) return [];
  const problem = (reason: string, action: string): CrossProblem[] => [
    {
      path: "network.podCidr",
      reason,
      action,
      about: ["network.nodeMaskSize", "controlPlane.count", "workers.count", "pools", "machines"],
    },
  ];
  const inPools = poolsOf(config).map((pool) => madeNames(config, pool).length + listedIn(config, pool).length);
  const nodes = config.controlPlane.count + inPools.reduce((sum, count) => sum + count, 0);
  const parts = prefix > nodeMaskSize ? 0 : 2 ** (nodeMaskSize - prefix);
  if (nodeMaskSize - prefix > 16)
    return problem(
      `${podCidr} is too large for parts of /${nodeMaskSize}: kubeadm allows 16 bits between them`,
      `use /${nodeMaskSize - 16} or longer`,
    );
  if (parts >= nodes) return [];
  return problem(
    `${podCidr} has room for ${parts} nodes with a /${nodeMaskSize} each, and the cluster has ${nodes}`,
    `use /${nodeMaskSize - Math.ceil(Math.log2(nodes))} or a larger range`,
  );
}

/**
 * Checks that a node's part of the pod range has addresses for all its pods: without the network, bridge and
 * broadcast addresses.
 */
export function podsPerNode(config: ClusterConfig): CrossProblem[] {
  const { nodeMaskSize } = config.network;
  const addresses = 2 ** (32 - nodeMaskSize) - 3;
  const pools = poolsOf(config).flatMap(({ path, kubelet, nodes }) => {
    const poolPath = path.split(".");
    const single = Object.entries(nodes).map(([name, node]) => ({
      path: pathText([...poolPath, "nodes", name]),
      kubelet: node.kubelet,
    }));
    return [{ path, kubelet }, ...single];
  });
  return [{ path: "controlPlane", kubelet: config.controlPlane.kubelet }, ...pools].flatMap(
    ({ path, kubelet: { maxPods = 0 } }) => {
      if (maxPods <= addresses) return [];
      const mask = 32 - Math.ceil(Math.log2(maxPods + 3));
      return [
        {
          path: `${path}.kubelet.maxPods`,
          about: ["network.nodeMaskSize"],
          reason: `${maxPods} pods need more than the ${addresses} addresses of a node's /${nodeMaskSize}`,
          action: `use ${addresses} or fewer, or set network.nodeMaskSize: ${mask}`,
        },
      ];
    },
  );
}

function overlapping(one: string, other: string): boolean {
  const ranges = [parseCidr(one), parseCidr(other)].filter((range): range is Cidr => range !== undefined);
  return ranges[0] !== undefined && ranges[1] !== undefined && isOverlapping(ranges[0], ranges[1]);
}
