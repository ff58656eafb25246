import { overlap, parseCidr } from "./cidr";
import type { MachineRole } from "./preflight-types";

/** What can be judged of a cluster before any of its machines is looked at. */
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

/** A node's name is a DNS label or subdomain (RFC 1123). */
const NODE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function planProblems({ machines, podCidr, serviceCidr }: ClusterPlan): PlanProblem[] {
  return [...nameProblems(machines), ...quorumProblems(machines), ...rangeProblems(podCidr, serviceCidr)];
}

function nameProblems(machines: ClusterPlan["machines"]): PlanProblem[] {
  return machines.flatMap(({ name }, index) => {
    const path = `machines[${index}].name`;
    if (!NODE_NAME.test(name))
      return [{ path, reason: `${name} is not a node's name; use lower-case letters, digits, - and .` }];
    const first = machines.findIndex((other) => other.name === name);
    return first < index ? [{ path, reason: `${name} is also machines[${first}]; give each its own name` }] : [];
  });
}

/** etcd needs a majority: an even member adds a machine that can fail, and no failure that can be survived. */
function quorumProblems(machines: ClusterPlan["machines"]): PlanProblem[] {
  const members = machines.filter(({ role }) => role === "control-plane").length;
  if (members % 2 === 1) return [];
  const reason =
    members === 0
      ? "there is no control plane; give the cluster one"
      : `${members} control planes are an even number of etcd members; use ${members - 1} or ${members + 1}`;
  return [{ path: "machines", reason }];
}

function rangeProblems(podCidr: string, serviceCidr: string): PlanProblem[] {
  const [pods, services] = [parseCidr(podCidr), parseCidr(serviceCidr)];
  const wrong = [...(pods ? [] : [["podCidr", podCidr]]), ...(services ? [] : [["serviceCidr", serviceCidr]])];
  if (!pods || !services)
    return wrong.map(([path = "", range = ""]) => ({
      path,
      reason: `${range} is not a range; write one like 10.244.0.0/16`,
    }));
  return overlap(pods, services)
    ? [
        {
          path: "serviceCidr",
          reason: `${serviceCidr} overlaps podCidr ${podCidr}; choose ranges that have nothing in common`,
        },
      ]
    : [];
}
