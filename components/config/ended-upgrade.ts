import semver from "semver";
import type { ClusterConfig } from "./types";

/**
 * Whether the configuration records an upgrade that nothing holds back any more: it has the target's version, and
 * neither a pause nor additional machines nor an emulated version. The next run that succeeds ends such an upgrade.
 * `upgrade` itself removes the record together with these, so a person has removed them from the file.
 */
export function isUpgradeEnding({
  kubernetes,
  controlPlane,
}: Pick<ClusterConfig, "kubernetes" | "controlPlane">): boolean {
  const { upgrading, version, hold, additional } = kubernetes;
  if (upgrading === undefined || semver.gt(upgrading.to, version)) return false;
  return controlPlane.emulate === undefined && Object.keys({ ...hold, ...additional }).length === 0;
}
