import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { Dialed } from "../../provider/ssh/client";
import type { dial } from "../../provider/ssh/dial";
import { HostKeyError } from "../../provider/ssh/errors";
import { sameKey } from "../../provider/ssh/host-key";

/** A stream through a connection. It only opens and closes. */
export class WorldChannel extends EventEmitter {
  isOpen = true;

  constructor(readonly client: WorldClient) {
    super();
  }

  resume(): this {
    return this;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.client.channels.delete(this);
    this.emit("close");
  }
}

/** An open connection to a machine of the world. */
export class WorldClient extends EventEmitter {
  readonly channels = new Set<WorldChannel>();

  constructor(
    private readonly machine: WorldMachine,
    readonly hostKey: string,
    /** The login's owner: the name in the connection that was dialed. */
    readonly owner: string,
  ) {
    super();
  }

  forwardOut(_from: string, _port: number, _host: string, _to: number, answer: (e: unknown, c: unknown) => void): void {
    const channel = new WorldChannel(this);
    this.channels.add(channel);
    setTimeout(() => {
      if (this.machine.clients.has(this)) answer(undefined, channel);
    }, ROUND_TRIP_MS);
  }

  end(): void {
    if (!this.machine.clients.delete(this)) return;
    this.emit("close");
    for (const channel of this.channels) channel.close();
  }
}

const ROUND_TRIP_MS = 5;
/** Milliseconds between two checks of whether a silent machine answers again. */
const SILENCE_MS = 100;

export class WorldMachine {
  readonly clients = new Set<WorldClient>();
  key = 0;
  isSilent = false;

  get hostKey(): string {
    return hostKey(this.key);
  }
}

export function hostKey(index: number): string {
  return `ssh-ed25519 AAAA${index}`;
}

/** Machines that accept connections without a network. Their addresses are their indices. */
export class SshWorld {
  readonly machines = [new WorldMachine(), new WorldMachine(), new WorldMachine()];

  machine(index: number): WorldMachine {
    const machine = this.machines[index];
    if (!machine) throw new Error(`there is no machine ${index}`);
    return machine;
  }

  at({ host }: Pick<Connection, "host">): WorldMachine {
    return this.machine(Number(host));
  }

  readonly dial: typeof dial = async (connection, _runtime, signal) => {
    const machine = this.at(connection);
    await roundTrip(machine, signal);
    const { hostKey: shown } = machine;
    if (connection.hostKey !== undefined && !sameKey(connection.hostKey, shown))
      throw new HostKeyError(connection, shown);
    const client = new WorldClient(machine, shown, connection.name ?? "");
    machine.clients.add(client);
    return new Dialed(client as unknown as Client, new Duplex({ write: () => undefined }), shown);
  };

  get clients(): WorldClient[] {
    return this.machines.flatMap(({ clients }) => [...clients]);
  }
}

/** An abort ends the wait for a silent machine. It comes too late if the machine answers at the same time. */
function roundTrip(machine: WorldMachine, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const answer = () => {
      if (!machine.isSilent) resolve();
      else if (signal.aborted) reject(signal.reason as Error);
      else setTimeout(answer, SILENCE_MS);
    };
    setTimeout(answer, ROUND_TRIP_MS);
  });
}

export const asWorldChannel = (channel: ClientChannel) => channel as unknown as WorldChannel;
