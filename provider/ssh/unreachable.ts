import type { Connection } from "../../contracts/connection";
import type { ProviderSettings } from "../settings/settings";
import { machineName } from "./connection";

/** Identifies a machine: one that is recreated has another host key. */
type Endpoint = Pick<Connection, "host" | "port" | "hostKey">;

/** Machines that do not answer, that are gone, or that this run replaces. */
export class UnreachableMachines {
  private readonly gone = new Set<string>();
  private readonly reported = new Set<string>();

  constructor(private readonly settings: Pick<ProviderSettings, "abandoned" | "rebuilt">) {}

  /** Records proof that a machine is gone: deletes no longer wait for it. */
  markGone(connection: Endpoint): void {
    this.gone.add(keyOf(connection));
  }

  isMarkedGone(connection: Endpoint): boolean {
    return this.gone.has(keyOf(connection));
  }

  /** Whether the configuration names the machine as one that will not come back (`recovery.abandoned`). */
  isAbandoned(connection: Connection): boolean {
    return isNamed(connection, this.settings.abandoned);
  }

  /**
   * Whether this run replaces the machine with that machine-id, so that nothing on it needs to be removed. The engine
   * knows of removed machines (`deletedWith`), but not of replaced ones.
   */
  isRebuilt(instance: string): boolean {
    return this.settings.rebuilt.includes(instance);
  }

  /**
   * Returns true on the first call for a machine that does not answer: one warning per machine, not one per resource.
   */
  reportSilent(connection: Connection): boolean {
    const key = keyOf(connection);
    if (this.reported.has(key)) return false;
    this.reported.add(key);
    return true;
  }

  reportAnswer(connection: Connection): void {
    this.reported.delete(keyOf(connection));
  }
}

/** Returns the next action for the user when a delete cannot reach the machine. */
export function abandonAction(connection: Connection): string {
  const machine = machineName(connection);
  return (
    `start it again; if it will not come back, run ` +
    `\`pulumi config set --path 'kubewright:recovery.abandoned[0]' ${machine}\` and then this command again`
  );
}

function isNamed({ name, host }: Connection, names: readonly string[]): boolean {
  return names.includes("all") || [name, host].some((one) => one !== undefined && names.includes(one));
}

function keyOf({ host, port, hostKey = "" }: Endpoint): string {
  return `${host}:${port} ${hostKey}`;
}
