import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterConfig, isUpgradeEnding } from "../../components/config";
import { upgradeNotice } from "../../components/program/upgrade-notice";
import { changeStackConfig, readStackConfig, type ConfigChange } from "../engine/stack-config";
import { HOLD } from "./upgrade-hold";
import { CANARY, CANARY_AFTER } from "./upgrade-pause";
import { UPGRADING, canaryPaths } from "./upgrade-stages";
import { ADDITIONAL } from "./upgrade-surge";

/**
 * Returns what a user should know of an upgrade after a successful run; undefined without an upgrade. The record of one
 * that the run has ended, because its pause was removed from the configuration, is removed: until then it names the
 * versions of the upgrade.
 */
export async function settleUpgrade(stack: Stack): Promise<string | undefined> {
  const config = await readStackConfig(stack);
  if (isUpgradeEnding(config)) return await forgetUpgrade(stack, config);
  const notice = upgradeNotice(config);
  return notice === undefined ? undefined : `Not upgraded yet: ${notice}.`;
}

async function forgetUpgrade(stack: Stack, config: ClusterConfig): Promise<string> {
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
