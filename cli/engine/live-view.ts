import type { EngineEvent } from "@pulumi/pulumi/automation";
import { machineLines } from "../terminal/machine-lines";
import type { Screen } from "../terminal/screen";
import type { ConfiguredMachines } from "./configured-machines";
import { MachineActivity } from "./machine-activity";

/** The live lines of a run. */
export interface LiveView {
  onEvent: (event: EngineEvent) => void;
  /** Removes the lines. */
  close: () => void;
}

/**
 * Shows on a live screen what each machine does while an operation runs. Other screens have no live lines.
 * @param configured reads the machines of the configuration. A destroy has none: it deletes what is in the state
 */
export function showMachines(screen: Screen, configured?: () => Promise<ConfiguredMachines>): LiveView {
  if (!screen.live) return { onEvent: () => undefined, close: () => undefined };
  const activity = new MachineActivity();
  // Without the configuration, the machines are those that the engine reports.
  void configured?.().then(
    (machines) => activity.configure(machines),
    () => undefined,
  );
  screen.show(({ rows }) => machineLines(activity.rows(), activity.elapsed, rows));
  return { onEvent: activity.onEvent, close: () => screen.show(() => []) };
}
