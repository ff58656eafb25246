import type { Client } from "ssh2";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { SUDO_PROMPT, collectOutput, type CommandResult, type CollectOptions } from "./channel";
import { type Connection } from "../../contracts/connection";
import { describe } from "./connection";
import { ConnectionError } from "./errors";

/** Linux' MAX_ARG_STRLEN: to sshd's shell the whole command is one argument. */
const LONGEST_COMMAND = 128 << 10;

export interface CommandOptions extends Omit<CollectOptions, "sudoPassword"> {
  /** What is being done, for the error. */
  step: string;
}

/** Runs a script as root, once, over a connection that is open. A stop kills its process group on the machine. */
export function runCommand(
  client: Client,
  connection: Connection,
  script: string,
  options: CommandOptions,
): Promise<CommandResult> {
  const words = asRoot(script, connection);
  refuseTooLong(words, connection, options.step);
  return new Promise((done, fail) => {
    const lost = () => fail(new ConnectionError(connection, "the connection was lost", true));
    client.once("close", lost);
    // Listeners go on before the callback returns, or the exit code of a quick command is missed.
    client.exec(words, (error, channel) => {
      if (error) {
        client.removeListener("close", lost);
        // A refused channel says that sshd is still closing others: try again, on the same connection.
        return fail(new ConnectionError(connection, error.message, false));
      }
      const settle = (action: () => void) => {
        client.removeListener("close", lost);
        action();
      };
      const kill = (group: string) =>
        void runCommand(client, connection, `kill -TERM -${group}`, {
          step: "stopping",
          signal: new AbortController().signal,
        }).catch(() => undefined);
      collectOutput(channel, { ...options, sudoPassword: sudoPasswordOf(connection) }, kill).then(
        (result) => settle(() => (result ? done(result) : lost())),
        (reason: Error) => settle(() => fail(reason)),
      );
    });
  });
}

function refuseTooLong(words: string, connection: Connection, step: string): void {
  const bytes = Buffer.byteLength(words);
  if (bytes < LONGEST_COMMAND) return;
  const cause = `it is a command of ${Math.ceil(bytes / 1024)} KiB, and Linux takes ${LONGEST_COMMAND >> 10} KiB`;
  throw new StepError({
    step,
    machine: describe(connection),
    cause,
    action: "divide it: fewer or shorter paths in one resource",
  });
}

function isRoot({ user }: Connection): boolean {
  return user === "root";
}

function sudoPasswordOf(connection: Connection): string | undefined {
  return isRoot(connection) ? undefined : connection.sudoPassword;
}

/**
 * The script's own exit code comes through. Its process group goes to stderr first: what to kill on a stop, for sshd itself passes no
 * signals on for root. It is looked up, since sudo may or may not have made one. With -k sudo asks whether or not it was told before.
 */
function asRoot(script: string, connection: Connection): string {
  const shell = `/bin/sh -c 'read -r _ _ _ _ group _ </proc/$$/stat; echo "process-group $group" >&2; exec /bin/sh -c "$0"' ${quote(script)}`;
  const sudo = sudoPasswordOf(connection) === undefined ? "sudo -n" : `sudo -S -k -p ${quote(SUDO_PROMPT)}`;
  return `exec ${isRoot(connection) ? "" : `${sudo} `}${shell}`;
}
