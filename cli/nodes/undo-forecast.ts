import semver from "semver";
import { userCommand } from "../../common/user-command";
import { isSameMinor } from "../../render/version-skew";
import type { UpgradePlan } from "./upgrade-plan";

export interface UndoConditions {
  /** Whether the control planes emulate the version before from this upgrade on. */
  isEmulating: boolean;
  /** Whether the cluster is built by components, which cannot emulate a version. */
  isLadder: boolean;
  /** Versions of etcd through which the upgrade leads; empty if they are not known. */
  etcdPath: readonly string[];
}

/** Describes before an upgrade whether it can be undone after it, for a line of the plan. */
export function describeUndo(
  { from, to, chain, pools }: Pick<UpgradePlan, "from" | "to" | "chain" | "pools">,
  { isEmulating, isLadder, etcdPath }: UndoConditions,
): string {
  const hasWorkers = pools.some(({ nodes, surge }) => nodes.length > 0 || surge !== undefined);
  const isPatch = chain.length <= 1 && isSameMinor(from, to);
  const pause = "--pause-after control-planes";
  if (from === to) return "not possible, because the kubelet of a worker cannot be downgraded";
  const [first = "", last = first] = [etcdPath[0], etcdPath.at(-1)];
  if (first !== last && !isSameMinor(first, last))
    return `not possible once all members have etcd ${last}: etcd ${first} cannot read the data then`;
  if (!isPatch && !isEmulating) {
    const minor = `${semver.major(to)}.${semver.minor(to)}`;
    const reason = `not possible: API servers of ${minor} may store objects that older ones cannot read`;
    return isLadder ? reason : `${reason}; with ${pause} --emulate it is possible before a worker changes`;
  }
  if (hasWorkers)
    return `not possible once a worker has ${to}, which is in this run; with ${pause} it is possible until --resume`;
  return `\`${userCommand("upgrade", "--undo")}\` returns the control planes to ${from}, until a worker has ${to}`;
}
