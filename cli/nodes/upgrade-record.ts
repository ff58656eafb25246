import semver from "semver";
import type { ClusterConfig } from "../../components/config";
import { HOLD } from "./upgrade-hold";
import { UPGRADING, type UpgradeStage } from "./upgrade-stages";
import { ADDITIONAL } from "./upgrade-surge";

type UpgradeRecord = NonNullable<ClusterConfig["kubernetes"]["upgrading"]>;

export interface RecordFacts extends UpgradeRecord {
  /** Whether the configuration has a record already. */
  isRecorded: boolean;
  /** Whether the upgrade pauses at its end. */
  isPaused: boolean;
  /** Whether an earlier pause stays. */
  keepsPause: boolean;
}

/**
 * Adds the record of the upgrade to its stages: the first one sets it, if the upgrade pauses or has several stages. The
 * last one removes it, unless the upgrade is paused then.
 */
export function withRecord(stages: readonly UpgradeStage[], facts: RecordFacts): UpgradeStage[] {
  const { isRecorded, isPaused, keepsPause, before, to } = facts;
  const stays = isPaused || (keepsPause && isRecorded);
  const isSet = stays || stages.length > 1;
  const record = { [`${UPGRADING}.before`]: before, [`${UPGRADING}.to`]: to };
  const isRemoved = !stays && (isSet || isRecorded);
  return stages.map((stage, index) => ({
    ...stage,
    remove: [...stage.remove, ...(isRemoved && index === stages.length - 1 ? endedPaths(keepsPause) : [])],
    set: { ...stage.set, ...(isSet && index === 0 ? record : {}) },
  }));
}

/**
 * Paths that the end of an upgrade removes. Names of removed pools and workers may be among those that it has set, and
 * would be refused without the record. A pause that stays without a record is the user's own.
 */
function endedPaths(keepsPause: boolean): string[] {
  return keepsPause ? [UPGRADING] : [UPGRADING, HOLD, ADDITIONAL];
}

/** Returns the record of an upgrade that is under way. One that leads to an older version is out of date. */
export function currentRecord({
  upgrading,
  version,
}: Pick<ClusterConfig["kubernetes"], "upgrading" | "version">): UpgradeRecord | undefined {
  return upgrading && semver.gte(upgrading.to, version) ? upgrading : undefined;
}
