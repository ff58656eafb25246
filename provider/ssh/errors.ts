import { StepError } from "../../common/errors";
import { type Connection } from "../../contracts/connection";
import { describe } from "./connection";
import { fingerprint } from "./host-key";

/** A connection could not be made, or broke. `retryable` where trying again makes sense: a host that boots, a network that blinks. */
export class ConnectionError extends StepError {
  constructor(
    connection: Connection,
    cause: string,
    readonly retryable: boolean,
    action?: string,
  ) {
    super({ step: "SSH connection", machine: describe(connection), cause, ...(action ? { action } : {}) });
    this.name = "ConnectionError";
  }
}

/** Another machine is behind the address, or somebody is between us and it. */
export class HostKeyError extends ConnectionError {
  constructor(connection: Connection, shown: string) {
    const pinned = connection.hostKey === undefined ? "" : ` (${fingerprint(connection.hostKey)})`;
    const cause = `the host shows another key (${fingerprint(shown)}) than the pinned one${pinned}`;
    const rebuilt =
      "if you rebuilt this machine run `pulumi up --refresh` (a hostKey that you gave, or a line in known_hosts, is yours to mend first)";
    super(connection, cause, false, `${rebuilt}, else somebody may be between you and it`);
    this.name = "HostKeyError";
  }
}

/** The way to the machine is blocked, which tells nothing of the machine itself. The jump host has been waited for already. */
export class JumpError extends ConnectionError {
  constructor(connection: Connection, cause: ConnectionError) {
    super(connection, `its jump host cannot be used: ${cause.failure.cause}`, false, cause.failure.action);
    this.name = "JumpError";
  }
}

/** We are in, but not as root. */
export class RootError extends StepError {
  constructor(connection: Connection, step: string, said: string) {
    const { user, sudoPassword } = connection;
    const wrong = sudoPassword !== undefined && /incorrect password|try again/i.test(said);
    const cause = wrong ? `sudo refuses ${user}'s password` : said || "the host ran nothing";
    const action =
      sudoPassword === undefined
        ? `let ${user} use sudo without a password, or give sudoPassword`
        : `give ${user}'s own password as sudoPassword, and let them use sudo`;
    super({ step, machine: describe(connection), cause, ...(user === "root" ? {} : { action }) });
    this.name = "RootError";
  }
}
