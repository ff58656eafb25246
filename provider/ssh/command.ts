import type { Client, ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { StepError, messageOf } from "../../common/errors";
import { quote } from "../../common/quote";
import { mayReceive, onLost } from "./client";
import { collectOutput, type CollectOptions, type CommandResult } from "./channel";
import { describe } from "./connection";
import { ConnectionError, LostConnectionError } from "./errors";
import { SUDO_PROMPT } from "./output";

/** MAX_ARG_STRLEN of Linux: sshd passes the whole command to the shell as one argument. */
const LONGEST_COMMAND = 128 << 10;

export interface CommandOptions extends Omit<CollectOptions, "sudoPassword"> {
  /** What the command does, for the error. */
  step: string;
}

/** The server did not open a channel for the command, because it is still closing others. */
export class ChannelRefusedError extends ConnectionError {
  constructor(connection: Connection, cause: string) {
    super(connection, cause, "refused");
    this.name = "ChannelRefusedError";
  }
}

/** Runs a script as root, once, over an open connection. An abort kills its process group on the machine. */
export function runCommand(
  client: Client,
  connection: Connection,
  script: string,
  options: CommandOptions,
): Promise<CommandResult> {
  const command = rootCommand(script, connection);
  refuseTooLong(command, connection, options.step);
  return new Promise((resolve, reject) => {
    let open: ClientChannel | undefined;
    const lost = () => reject(new LostConnectionError(connection));
    const settle = (action: () => void) => {
      stopWatching();
      action();
    };
    // Output that was still to come is missing, even if the exit code has arrived.
    const stopWatching = onLost(client, () => (!open || mayReceive(open)) && lost());
    const onChannel = (channel: ClientChannel) => {
      open = channel;
      const kill = (group: string) => killGroup(client, connection, group);
      collectOutput(channel, { ...options, sudoPassword: sudoPasswordOf(connection) }, kill).then(
        (result) => settle(() => (result ? resolve(result) : lost())),
        (reason: Error) => settle(() => reject(reason)),
      );
    };
    try {
      // Listeners are added before the callback returns, or the exit code of a quick command is missed.
      client.exec(command, (error, channel) => {
        if (error) settle(() => reject(new ChannelRefusedError(connection, error.message)));
        else onChannel(channel);
      });
    } catch (error) {
      // ssh2 throws "Not connected" between the end of the stream and the `close` event.
      settle(() => reject(new LostConnectionError(connection, messageOf(error))));
    }
  });
}

function killGroup(client: Client, connection: Connection, group: string): void {
  const { signal } = new AbortController();
  void runCommand(client, connection, `kill -TERM -${group}`, { step: "stopping the command", signal }).catch(
    () => undefined,
  );
}

function refuseTooLong(command: string, connection: Connection, step: string): void {
  const bytes = Buffer.byteLength(command);
  if (bytes < LONGEST_COMMAND) return;
  throw new StepError({
    step,
    machine: describe(connection),
    cause: `the command has ${Math.ceil(bytes / 1024)} KiB; Linux accepts ${LONGEST_COMMAND >> 10} KiB`,
    action: "use fewer or shorter paths in one resource",
  });
}

function isRoot({ user }: Connection): boolean {
  return user === "root";
}

function sudoPasswordOf(connection: Connection): string | undefined {
  return isRoot(connection) ? undefined : connection.sudoPassword;
}

/**
 * Wraps a script so that it runs as root and keeps its exit code. It first prints its process group to stderr, because
 * sshd forwards no signals. The group is read from /proc, since sudo may have created one. With -k sudo always asks for
 * the password, also if it has cached it.
 */
function rootCommand(script: string, connection: Connection): string {
  const readGroup = `read -r _ _ _ _ group _ </proc/$$/stat; echo "process-group $group" >&2`;
  const shell = `/bin/sh -c '${readGroup}; exec /bin/sh -c "$0"' ${quote(script)}`;
  const sudo = sudoPasswordOf(connection) === undefined ? "sudo -n" : `sudo -S -k -p ${quote(SUDO_PROMPT)}`;
  return `exec ${isRoot(connection) ? "" : `${sudo} `}${shell}`;
}
