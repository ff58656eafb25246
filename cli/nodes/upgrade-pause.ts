import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { ConfigChange } from "../engine/stack-config";
import type { UpgradePlan } from "./upgrade-plan";

/** Stage of an upgrade after which it can pause, besides the names of pools. */
export const CONTROL_PLANES = "control-planes";
/** Path of the held versions in the configuration. */
export const HOLD = "kubernetes.hold";
const STEP = "pausing the upgrade";

/**
 * Returns the configuration that lets an upgrade stop after a stage: the pools after it stay on their version.
 * @param pools pools of the configuration in order, with the versions of their own
 * @throws StepError if there is no such stage, or the upgrade has several steps
 */
export function pauseAfter(
  stage: string,
  plan: Pick<UpgradePlan, "chain" | "from">,
  pools: readonly { name: string; version?: string | undefined }[],
): ConfigChange {
  const stages = [CONTROL_PLANES, ...pools.map(({ name }) => name)];
  const index = stages.indexOf(stage);
  if (index < 0)
    throw new StepError({
      step: STEP,
      cause: `there is no stage named ${stage}`,
      action: `use ${stages.join(" or ")}`,
    });
  if (plan.chain.length > 1) {
    const action = `run \`${userCommand("upgrade", "--to", plan.chain[0] ?? "", "--pause-after", stage)}\` first`;
    throw new StepError({
      step: STEP,
      cause: `the upgrade has ${plan.chain.length} steps, and a pause needs one`,
      action,
    });
  }
  const held = pools.slice(index).filter(({ version }) => version === undefined);
  return Object.fromEntries(held.map(({ name }) => [`${HOLD}.${name}`, plan.from]));
}

/** Describes a paused upgrade; undefined if none is paused. */
export function describePause(hold: Readonly<Record<string, string>>): string | undefined {
  const pools = Object.entries(hold).map(([pool, version]) => `pool ${pool} stays on ${version}`);
  if (pools.length === 0) return undefined;
  return `the upgrade is paused: ${pools.join(", ")}; continue with \`${userCommand("upgrade", "--resume")}\``;
}
