import { isOverlapping, parseCidr } from "./cidr";
import type { MachineRole } from "./preflight-types";

/** The parts of a cluster's configuration that are checked before any machine is read. */
export interface ClusterPlan {
  machines: readonly { name: string; role: MachineRole }[];
  podCidr: string;
  serviceCidr: string;
}

export interface PlanProblem {
  /** Path of the property. */
  path: string;
  reason: string;
}

/** A node's name must be a DNS label or subdomain (RFC 1123). */
const NODE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function planProblems({ machines, podCidr, serviceCidr }: ClusterPlan): PlanProblem[] {
  return [...nameProblems(machines), ...quorumProblems(machines), ...rangeProblems(podCidr, serviceCidr)];
}

function nameProblems(machines: ClusterPlan["machines"]): PlanProblem[] {
  return machines.flatMap(({ name }, index) => {
    const path = `machines[${index}].name`;
    if (!NODE_NAME.test(name))
      return [{ path, reason: `${name} is not a valid node name; use lower-case letters, digits, - and .` }];
    const first = machines.findIndex((other) => other.name === name);
    return first < index ? [{ path, reason: `${name} is also machines[${first}]; give each its own name` }] : [];
  });
}

/** etcd needs a majority. An even number of members tolerates no more failures than one member less. */
function quorumProblems(machines: ClusterPlan["machines"]): PlanProblem[] {
  const members = machines.filter(({ role }) => role === "control-plane").length;
  if (members % 2 === 1) return [];
  const reason =
    members === 0
      ? "there is no control plane; add one"
      : `${members} control planes are an even number of etcd members; use ${members - 1} or ${members + 1}`;
  return [{ path: "machines", reason }];
}

function rangeProblems(podCidr: string, serviceCidr: string): PlanProblem[] {
  const [pods, services] = [parseCidr(podCidr), parseCidr(serviceCidr)];
  const invalid = [...(pods ? [] : [["podCidr", podCidr]]), ...(services ? [] : [["serviceCidr", serviceCidr]])];
  if (!pods || !services)
    return invalid.map(([path = "", range = ""]) => ({
      path,
      reason: `${range} is not a CIDR; use one such as 10.244.0.0/16`,
    }));
  return isOverlapping(pods, services)
    ? [
        {
          path: "serviceCidr",
          reason: `${serviceCidr} overlaps podCidr ${podCidr}; choose ranges that do not overlap`,
        },
      ]
    : [];
}
