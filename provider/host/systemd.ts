import { quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";

export interface UnitState {
  active: boolean;
  enabled: boolean;
  masked: boolean;
}

/** What systemd says of a unit (org.freedesktop.systemd1(5)). A unit that does not exist is neither active nor enabled. */
export async function unitState(machine: Remote, unit: string, signal: AbortSignal): Promise<UnitState> {
  const script = `systemctl show -p ActiveState,UnitFileState,LoadState ${quote(unit)}`;
  const { stdout } = await machine.run(script, { step: `looking at ${unit}`, signal });
  const values = Object.fromEntries(stdout.split("\n").map((line) => line.split("=", 2) as [string, string]));
  return {
    active: ["active", "activating", "reloading"].includes(values.ActiveState ?? ""),
    enabled: ["enabled", "enabled-runtime", "static"].includes(values.UnitFileState ?? ""),
    masked: values.LoadState === "masked",
  };
}

/** The unit's last words, for an error message. */
export async function journalTail(machine: Remote, unit: string, signal: AbortSignal): Promise<string> {
  const script = `journalctl -u ${quote(unit)} -n 5 --no-pager -o cat 2>/dev/null || true`;
  const { stdout } = await machine.run(script, { step: `reading the journal of ${unit}`, signal });
  return stdout.trim().split("\n").slice(-3).join(" | ");
}
