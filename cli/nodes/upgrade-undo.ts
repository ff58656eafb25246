import semver from "semver";
import { StepError } from "../../common/errors";
import { previousMinor } from "../../render/emulated-version";
import { findControlPlaneProblem } from "../../render/version-skew";
import type { ClusterStatus } from "./cluster-status";
import { type UpgradeFacts, type UpgradePlan, changedParts } from "./upgrade-plan";

const STEP = "undoing the upgrade";

export interface UndoFacts {
  /** Versions of all API servers, without the prefix `v`. */
  apiServers: readonly string[];
  /** Version to return to. @default the newest version of a kubelet that is older than the newest API server */
  to?: string | undefined;
  nodes: ClusterStatus["nodes"];
  /** Whether the control planes emulate the minor version before. */
  isEmulating: boolean;
  /** Names of machines that pools have only while they are upgraded. @default none */
  additional?: readonly string[];
  /** What the ladder has up to its rung. @default a cluster that kubeadm built */
  ladder?: UpgradeFacts["ladder"];
}

/** Control planes that return to an older version. */
export interface UndoPlan extends Pick<UpgradePlan, "components" | "addOns"> {
  from: string;
  to: string;
  controlPlanes: string[];
  /** Additional machines of pools, which leave first. */
  additional: string[];
}

/** @throws StepError with the reason why the upgrade cannot be undone */
export function planUndo({ apiServers, nodes: all, isEmulating, additional = [], ...facts }: UndoFacts): UndoPlan {
  const nodes = all.filter(({ name }) => !additional.includes(name));
  const from = [...apiServers].sort(semver.compare).at(-1) ?? "";
  const to = facts.to ?? newestBefore(from, nodes) ?? from;
  if (from === "" || !semver.lt(to, from))
    throw refused(`every control plane and worker has ${to}`, "name the version to return to with --to");
  const isNewer = (version: string) => semver.valid(version) !== null && semver.gt(version, to);
  const newer = nodes.filter(({ roles, version }) => !roles.includes("control-plane") && isNewer(version));
  if (newer.length > 0)
    throw refused(
      `${newer.map(({ name, version }) => `${name} (${version})`).join(", ")}: the kubelet of a worker cannot be ` +
        "downgraded, and must not be newer than the control planes",
      "continue the upgrade, or remove these machines first",
    );
  const emulated = isEmulating ? previousMinor(from) : undefined;
  const problem = findControlPlaneProblem(from, to, emulated);
  if (problem)
    throw refused(
      `${problem.reason}: its API servers may have stored objects that ${to} cannot read`,
      "continue the upgrade; before the next one, use --emulate, with which it can be undone",
    );
  const controlPlanes = nodes.filter(({ roles }) => roles.includes("control-plane")).map(({ name }) => name);
  return { from, to, controlPlanes, additional: [...additional], ...changedParts(facts.ladder) };
}

/** The control planes had at least this version, because no kubelet is newer than the API server. */
function newestBefore(from: string, nodes: UndoFacts["nodes"]): string | undefined {
  const older = nodes
    .map(({ version }) => version)
    .filter((version) => semver.valid(version) && semver.lt(version, from));
  return older.sort(semver.compare).at(-1);
}

/** Returns the plan as text for a terminal. */
export function undoPlanText({ from, to, controlPlanes, additional, components, addOns }: UndoPlan): string {
  const steps = [
    ...(additional.length > 0 ? [`additional ${additional.join(", ")}, drained and removed`] : []),
    `${controlPlanes.join(", ")}: a snapshot of etcd, then the ${components}, then the kubelet, one after the other`,
    ...(addOns.length > 0 ? [addOns.join(" and ")] : []),
  ];
  return `Undo: ${from} -> ${to}

In this order:
${steps.map((step, index) => `  ${index + 1}. ${step}\n`).join("")}`;
}

function refused(cause: string, action: string): StepError {
  return new StepError({ step: STEP, cause, action });
}
