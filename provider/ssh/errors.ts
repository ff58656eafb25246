import type { Connection } from "../../contracts/connection";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { describe, machineName } from "./connection";
import { fingerprint } from "./host-key";
import { userCommand } from "../../common/user-command";

/**
 * Why a connection failed. `transient`: the host boots or the network fails for a moment; another attempt may succeed.
 * `refused`: the host answers and rejects the request. `identity`: the host key is not the pinned one.
 */
export type ConnectionFailure = "transient" | "refused" | "identity";

/** A connection that could not be opened, or that was lost. */
export class ConnectionError extends StepError {
  constructor(
    connection: Connection,
    cause: string,
    readonly kind: ConnectionFailure,
    action?: string,
  ) {
    super({ step: "SSH connection", machine: describe(connection), cause, ...optional({ action }) });
    this.name = "ConnectionError";
  }

  /** Whether another attempt may succeed. */
  get retryable(): boolean {
    return this.kind === "transient";
  }
}

/** An open connection was lost: the network failed, or the machine closed it. */
export class LostConnectionError extends ConnectionError {
  constructor(connection: Connection, detail?: string) {
    super(connection, `the connection was lost${detail === undefined ? "" : `: ${detail}`}`, "transient");
    this.name = "LostConnectionError";
  }
}

/**
 * The host key differs from the pinned one: another machine has the address, or an attacker intercepts the connection.
 */
export class HostKeyError extends ConnectionError {
  constructor(connection: Connection, shown: string) {
    const pinned = connection.hostKey === undefined ? "" : ` (${fingerprint(connection.hostKey)})`;
    const cause = `the host key ${fingerprint(shown)} is not the pinned one${pinned}`;
    super(connection, cause, "identity", acceptAction(connection, shown));
    this.name = "HostKeyError";
  }
}

function acceptAction(connection: Connection, shown: string): string {
  const [, value = ""] = fingerprint(shown).split(" ");
  const setting = `recovery.acceptHostKeys.${machineName(connection)}=${value}`;
  return (
    "compare it with the output of `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine's console; " +
    `if it is the same, run \`${userCommand("up", `--config ${setting}`)}\` ` +
    "(a hostKey of the configuration, or a line in known_hosts, must be changed there); " +
    "if not, someone may intercept the connection"
  );
}

/** The jump host cannot be used, after all retries. This proves nothing about the machine behind it. */
export class JumpError extends ConnectionError {
  constructor(connection: Connection, cause: ConnectionError) {
    const kind = cause.kind === "identity" ? "identity" : "refused";
    super(connection, `its jump host cannot be used: ${cause.failure.cause}`, kind, cause.failure.action);
    this.name = "JumpError";
  }
}

/** The login succeeded, but sudo or the login shell did not run the command. */
export class RootError extends StepError {
  constructor(connection: Connection, step: string, output: string) {
    const { user, sudoPassword } = connection;
    const isPasswordWrong = sudoPassword !== undefined && /incorrect password|try again/i.test(output);
    const cause = isPasswordWrong
      ? `sudo rejects the password of ${user}`
      : output || "the host did not run the command";
    const action =
      sudoPassword === undefined
        ? `allow ${user} to use sudo without a password, or set sudoPassword`
        : `set sudoPassword to the password of ${user}, and allow ${user} to use sudo`;
    super({ step, machine: describe(connection), cause, ...(user === "root" ? {} : { action }) });
    this.name = "RootError";
  }
}
