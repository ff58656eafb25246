import * as pulumi from "@pulumi/pulumi";
import semver from "semver";
import { userCommand } from "../../common/user-command";
import { type ClusterConfig, isUpgradeEnding, poolsOf } from "../config";

/** Warns in a preview of an upgrade that a run does not continue. */
export function warnOfUpgrade(config: ClusterConfig): void {
  const notice = upgradeNotice(config);
  if (notice !== undefined && pulumi.runtime.isDryRun()) void pulumi.log.warn(notice);
}

const NEW_WORKERS = "a worker that is added gets the version of its pool";

type NoticeSections = "kubernetes" | "controlPlane" | "workers" | "pools";

/**
 * Describes an upgrade that the configuration pauses, or that leads to a later version than the configured one.
 * Undefined if there is none.
 */
export function upgradeNotice(config: Pick<ClusterConfig, NoticeSections>): string | undefined {
  const { upgrading, version } = config.kubernetes;
  const held = heldNames(config);
  if (upgrading && isUpgradeEnding(config))
    return (
      `the upgrade to ${upgrading.to} is not paused any more, and ends with the next run; then ` +
      `\`${userCommand("up")}\` or \`${userCommand("upgrade", "--resume")}\` removes its record (kubernetes.upgrading)`
    );
  const all = [
    ...(upgrading && semver.gt(upgrading.to, version) ? [`the upgrade to ${upgrading.to} is at ${version}`] : []),
    ...(held.length > 0 ? [`the upgrade is paused: ${held.join(", ")} (kubernetes.hold)`, NEW_WORKERS] : []),
  ];
  if (all.length === 0) return undefined;
  return `${all.join("; ")}; continue with \`${userCommand("upgrade", "--resume")}\``;
}

/** A pool's own version has priority over that of a pause. */
function heldNames({ kubernetes, workers, pools }: Parameters<typeof upgradeNotice>[0]): string[] {
  const own = new Map(poolsOf({ workers, pools }).map(({ name, version }) => [name, version]));
  return Object.entries(kubernetes.hold)
    .filter(([name]) => own.get(name) === undefined)
    .map(([name, version]) => `${own.has(name) ? "pool " : ""}${name} stays on ${version}`);
}
