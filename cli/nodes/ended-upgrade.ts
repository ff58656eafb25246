import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterConfig, isUpgradeEnding } from "../../components/config";
import { changeStackConfig, readStackConfig, type ConfigChange } from "../engine/stack-config";
import { HOLD } from "./upgrade-hold";
import { CANARY, CANARY_AFTER } from "./upgrade-pause";
import { UPGRADING, canaryPaths } from "./upgrade-stages";
import { ADDITIONAL } from "./upgrade-surge";

/**
 * Removes the record of an upgrade that a successful run has ended, because its pause was removed from the
 * configuration. Call it after the run: until then the record names the versions of the upgrade.
 * @returns what a user should know; undefined if no upgrade has ended
 */
export async function forgetEndedUpgrade(stack: Stack): Promise<string | undefined> {
  const config = await readStackConfig(stack);
  if (!isUpgradeEnding(config)) return undefined;
  await changeStackConfig(stack, endedUpgrade(config));
  const file = `Pulumi.${stack.name}.yaml`;
  return `The upgrade to ${config.kubernetes.version} has ended; ${UPGRADING} was removed from ${file}.`;
}

/**
 * Names of removed pools and workers may be among those that the upgrade has written. Without its record they would be
 * refused, so they are removed with it, and the user's canaries return.
 */
export function endedUpgrade({ kubernetes }: Pick<ClusterConfig, "kubernetes">): ConfigChange {
  const { canary, canaryAfter } = kubernetes;
  return {
    ...{ [UPGRADING]: undefined, [HOLD]: undefined, [ADDITIONAL]: undefined },
    ...{ [CANARY]: undefined, [CANARY_AFTER]: undefined },
    ...canaryPaths(canaryAfter.length > 0 ? canaryAfter : canary),
  };
}
