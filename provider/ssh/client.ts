import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";

/** Milliseconds in which a connection that is being closed may send the rest of its data. */
const CLOSE_MS = 1_000;

const LOST_EVENTS = ["end", "error", "close"] as const;

/** An open connection. */
export class Dialed {
  private isLost = false;

  /**
   * @param stream the connection's socket, or a stream through the jump host
   * @param hostKey the key that the host presented: `ssh-ed25519 AAAA...`
   */
  constructor(
    readonly client: Client,
    private readonly stream: Duplex,
    readonly hostKey: string,
  ) {
    client.setMaxListeners(0); // each command in progress listens for the loss of the connection
    onLost(client, () => {
      this.isLost = true;
      // A peer that has ended its side may never read what is still to be sent.
      stream.destroy();
    });
  }

  /** Whether the connection can open channels. */
  get isOpen(): boolean {
    return !this.isLost && this.stream.writable;
  }

  /** Closes the connection, also if the machine does not answer any more. */
  close(): void {
    this.client.end();
    // The socket of a machine that does not answer would otherwise stay half-closed, and keep the process alive.
    setTimeout(() => this.stream.destroy(), CLOSE_MS).unref();
  }
}

/**
 * Calls the action when the connection is lost: the peer has ended it, it has failed, or it is closed.
 * @returns a function that removes the listeners
 */
export function onLost(client: Client, action: () => void): () => void {
  const stop = () => LOST_EVENTS.forEach((event) => client.removeListener(event, onEvent));
  const onEvent = () => {
    stop();
    action();
  };
  LOST_EVENTS.forEach((event) => (client as EventEmitter).on(event, onEvent));
  return stop;
}

/** Whether the machine may still send output: its end of the channel is open. */
export function mayReceive({ incoming }: Pick<ClientChannel, "incoming">): boolean {
  return (incoming as { state: string }).state === "open";
}
