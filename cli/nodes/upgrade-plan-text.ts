import { describeDuration } from "../../common/duration";
import { describeEtcd } from "../../provider/kubeadm/etcd-report";
import type { ClusterStatus } from "./cluster-status";
import type { PlannedPool, UpgradePlan } from "./upgrade-plan";

/** Returns the plan as text for a terminal. */
export function upgradePlanText(plan: UpgradePlan, { etcd }: Pick<ClusterStatus, "etcd">): string {
  const { from, to, chain, controlPlanes, components, addOns, pools, deprecated, blocking, notes } = plan;
  const { canaries, soak } = plan;
  if (chain.length === 0) return `Nothing to upgrade: every control plane runs ${to}, and every pool its version.\n`;
  const lines = [
    `Upgrade: ${[from, ...chain.filter((version) => version !== from)].join(" -> ")}`,
    "",
    ...(chain.length > 1 ? ["For each version, in this order:"] : ["In this order:"]),
    "  1. images and binaries are copied; only the container runtime restarts, if its pause image changes",
    `  2. ${controlPlanes.join(", ")}: a snapshot of etcd, then the ${components}, then the kubelet, ` +
      "one after the other",
    ...pools.map((pool, index) => `  ${index + 3}. pool ${pool.name}: ${describePool(pool)}`),
    ...(addOns.length > 0 ? [`  ${pools.length + 3}. ${addOns.join(" and ")}`] : []),
    ...(canaries.length > 0 ? [`Before the other workers: ${canaries.join(", ")}`] : []),
    ...(soak > 0 ? [`After each control plane, canary and pool, the cluster must stay healthy for ${soak} s`] : []),
    "",
    `Duration: about ${describeDuration(plan.duration * 1_000)}, and longer where drains wait for pods`,
    ...(etcd ? [`etcd: ${describeEtcd(etcd)}`] : []),
    `Deprecated APIs in use: ${deprecated.map(describeApi).join(", ") || "none"}`,
    ...section("To look at:", notes),
    ...section("This must be solved first:", blocking),
  ];
  return `${lines.join("\n")}\n`;
}

function describePool({ nodes, isReplaced }: PlannedPool): string {
  return `${nodes.join(", ")}, drained, then ${isReplaced ? "a new machine" : "the kubelet"}`;
}

function describeApi({ resource, removedIn, users = [] }: UpgradePlan["deprecated"][number]): string {
  const removal = removedIn === undefined ? "no release removes it yet" : `removed in ${removedIn}`;
  return `${resource} (${removal}${users.length > 0 ? `; used by ${users.slice(-3).join(", ")}` : ""})`;
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : ["", title, ...entries.map((entry) => `  ${entry}`)];
}
