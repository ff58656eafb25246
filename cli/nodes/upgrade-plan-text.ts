import { describeDuration } from "../../common/duration";
import { describeEtcd } from "../../provider/kubeadm/etcd-report";
import type { ClusterStatus } from "./cluster-status";
import type { PlannedPool } from "./planned-pools";
import type { UpgradePlan } from "./upgrade-plan";

interface PlanDetails extends Pick<ClusterStatus, "etcd"> {
  /** Whether the upgrade can be undone. @default not in the text */
  undo?: string;
  /** Versions of etcd through which the upgrade leads. @default not in the text */
  etcdPath?: readonly string[];
}

/** Returns the plan as text for a terminal. */
export function upgradePlanText(plan: UpgradePlan, { etcd, undo, etcdPath = [] }: PlanDetails): string {
  const { from, chain, addOns, pools, deprecated, blocking, notes } = plan;
  const { canaries, soak } = plan;
  if (chain.length === 0) return nothingToUpgrade(plan);
  if (!hasChanges(plan)) return `Every node has ${plan.to}: the pause ends, and no node changes.\n`;
  const describe = (pool: PlannedPool) => describePool(pool, chain.length);
  const inPlace = pools.filter(({ nodes, surge }) => surge === undefined && nodes.length > 0).map(describe);
  // The pools with additional machines change in later updates.
  const surged = pools.filter(({ surge }) => surge !== undefined).map(describe);
  const first = controlPlaneSteps(plan);
  const waiting = pools.flatMap((pool) => pool.waiting ?? []);
  const steps = [...first, ...inPlace, ...(addOns.length > 0 ? [addOns.join(" and ")] : []), ...surged];
  const lines = [
    `Upgrade: ${[from, ...chain.filter((version) => version !== from)].join(" -> ")}`,
    "",
    ...(chain.length > 1 ? ["For each version, in this order:"] : ["In this order:"]),
    "  1. images and binaries are copied; only the container runtime restarts, if its pause image changes",
    ...steps.map((step, index) => `  ${index + 2}. ${step}`),
    ...(waiting.length > 0 ? [`These keep their version: ${waiting.join(", ")}`] : []),
    ...(canaries.length > 0 ? [`Before the other workers: ${canaries.join(", ")}`] : []),
    ...(soak > 0 ? [`After each control plane, canary and pool, the cluster must stay healthy for ${soak} s`] : []),
    "",
    `Duration: about ${describeDuration(plan.duration * 1_000)}, and longer where ${delaysOf(pools)}`,
    ...(undo === undefined ? [] : [`Undo: ${undo}`]),
    ...(etcd ? [`etcd: ${[etcdPath.join(" -> "), describeEtcd(etcd)].filter(Boolean).join("; ")}`] : []),
    `Deprecated APIs in use: ${deprecated.map(describeApi).join(", ") || "none"}`,
    ...section("To look at:", notes),
    ...section("This must be solved first:", blocking),
  ];
  return `${lines.join("\n")}\n`;
}

function nothingToUpgrade({ to, pools }: UpgradePlan): string {
  const leaving = pools.flatMap(({ surge }) => surge?.machines ?? []);
  const rest =
    leaving.length === 0 ? "" : `${leaving.join(", ")}: drained and removed, because the upgrade no longer needs it\n`;
  return `Nothing to upgrade: every control plane runs ${to}, and every pool its version.\n${rest}`;
}

/** Whether a node changes; otherwise the configuration does. */
function hasChanges({ from, to, controlPlanes, emulating, pools }: UpgradePlan): boolean {
  const parts = [...controlPlanes, ...(emulating?.controlPlanes ?? []), ...pools.flatMap(({ nodes }) => nodes)];
  return (
    from !== to || parts.length > 0 || pools.some(({ surge, waiting }) => surge !== undefined || waiting !== undefined)
  );
}

function controlPlaneSteps({ controlPlanes, components, emulating }: UpgradePlan): string[] {
  const one = "one after the other";
  if (emulating) {
    const names = emulating.controlPlanes.join(", ");
    return [`${names}: the ${components} restart without the emulation of ${emulating.version}, ${one}`];
  }
  if (controlPlanes.length === 0) return [];
  return [`${controlPlanes.join(", ")}: a snapshot of etcd, then the ${components}, then the kubelet, ${one}`];
}

/** What the estimate does not include. */
function delaysOf(pools: readonly PlannedPool[]): string {
  const isSurged = pools.some(({ surge }) => surge !== undefined);
  return `${isSurged ? "new machines start slowly, or " : ""}drains wait for pods`;
}

function describePool({ name, nodes, isDrained, isReplaced, surge }: PlannedPool, steps: number): string {
  const how = isReplaced ? "drained, then a new machine" : isDrained ? "drained, then the kubelet" : "the kubelet";
  const change = nodes.length === 0 ? "" : `${nodes.join(", ")}, ${how}${isDrained ? "" : ", without a drain"}`;
  if (!surge) return `pool ${name}: ${change}`;
  const machines = surge.machines.join(", ");
  const joins = surge.areJoined ? "" : `, created and joined${steps > 1 ? " with the first version" : ""}`;
  const leaves = steps > 1 ? "after the last version" : "then";
  const then = change === "" ? "" : `; then ${change}`;
  return `pool ${name}: additional ${machines}${joins}${then}; ${leaves} ${machines}, drained and removed`;
}

function describeApi({ resource, removedIn, users = [] }: UpgradePlan["deprecated"][number]): string {
  const removal = removedIn === undefined ? "no release removes it yet" : `removed in ${removedIn}`;
  return `${resource} (${removal}${users.length > 0 ? `; used by ${users.slice(-3).join(", ")}` : ""})`;
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : ["", title, ...entries.map((entry) => `  ${entry}`)];
}
