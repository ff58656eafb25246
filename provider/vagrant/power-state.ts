import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { localPath } from "../../common/portable-path";
import type { Connection } from "../../contracts/connection";
import type { VagrantFolders } from "./machines";

/**
 * States in which nothing of a machine runs, by Vagrant's providers. A suspended machine is not among them: it goes on
 * with its containers when it is resumed.
 */
const OFF: readonly string[] = ["poweroff", "aborted", "shutoff", "stopped", "not_running", "off"];
const REMOVED = "not_created";

/** What Vagrant knows about the power of a machine. `unknown` also for a machine that Vagrant does not run. */
export type PowerState = "on" | "off" | "removed" | "unknown";

/**
 * Asks Vagrant whether a machine runs. The private key that Vagrant installed on a machine tells which one it is:
 * `<folder>/.vagrant/machines/<name>/<provider>/private_key`. The address does not, as it may be a forwarded port.
 */
export async function readVagrantPower(
  folders: Pick<VagrantFolders, "findState">,
  { privateKeyPath }: Pick<Connection, "privateKeyPath">,
  signal: AbortSignal,
): Promise<PowerState> {
  const machine = machineOfKey(privateKeyPath);
  if (machine === undefined) return "unknown";
  const state = await folders.findState(machine.folder, machine.name, signal).catch(() => undefined);
  signal.throwIfAborted();
  if (state === undefined) return "unknown";
  if (state === REMOVED) return "removed";
  return OFF.includes(state) ? "off" : "on";
}

/**
 * Returns the machine of a private key of Vagrant's. Undefined if Vagrant's data of the machine is missing: without it,
 * Vagrant reports a running machine as not created.
 */
function machineOfKey(path: string | undefined): { folder: string; name: string } | undefined {
  if (path === undefined || basename(path) !== "private_key") return undefined;
  const data = dirname(localPath(path));
  const name = basename(dirname(data));
  const machines = dirname(dirname(data));
  const folder = dirname(dirname(machines));
  if (machines !== join(folder, ".vagrant", "machines") || !existsSync(data)) return undefined;
  return { folder, name };
}
