import { userCommand } from "../../common/user-command";
import type { ConfigChange } from "../engine/stack-config";
import { HOLD, heldNodePath } from "./upgrade-hold";
import { CANARY } from "./upgrade-pause";
import { type UpgradeFacts, type UpgradePlan, planUpgrade } from "./upgrade-plan";

/**
 * Returns the plan of an upgrade that pauses: which nodes change before the pause, and which ones wait.
 * @param facts with the pools' own versions only, without those of an earlier pause
 * @param pause configuration of the pause
 * @param steps versions through which the upgrade goes without the pause
 */
export function pausedPlan(facts: UpgradeFacts, pause: ConfigChange, steps: string[]): UpgradePlan {
  const held = (name: string) => pause[`${HOLD}.${name}`];
  const { nodes } = facts.status;
  const pools = [...new Set(nodes.map(({ pool }) => pool))];
  const paths = Object.entries(pause).filter(([path]) => path.startsWith(`${CANARY}[`));
  const changes = {
    poolVersions: new Map([...facts.poolVersions, ...versionsOf(pools, held)]),
    heldNodes: versionsOf(
      nodes.map(({ name }) => name),
      (name) => pause[heldNodePath(name)],
    ),
    canaries: paths.map(([, name]) => String(name)),
  };
  return planUpgrade({ ...facts, ...changes }, steps);
}

/** Returns what follows a plan that pauses. */
export function pauseText(): string {
  const next = userCommand("upgrade", "--resume");
  return `Then the upgrade pauses. \`${next}\` upgrades the nodes that keep their version.`;
}

function versionsOf(names: readonly string[], held: (name: string) => ConfigChange[string]): Map<string, string> {
  return new Map(
    names.flatMap((name) => {
      const version = held(name);
      return version === undefined ? [] : [[name, String(version)] as const];
    }),
  );
}
