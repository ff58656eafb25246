import { createHash } from "node:crypto";
import { systemClock, type Clock } from "../../common/clock";
import { Semaphore } from "../../common/wait";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../settings";
import { noTrace, type Trace } from "../trace";
import type { Connection } from "../../contracts/connection";
import { ConnectionLimit } from "./connection-limit";
import { sameKey } from "./host-key";
import { Remote } from "./remote";
import type { SshRuntime } from "./transport";

/** Handshakes in parallel: each takes about 10 ms of one processor, and must end within 15 s. */
const PARALLEL_HANDSHAKES = 16;

export type SshSettings = Pick<ProviderSettings, "patience" | "connectionLimit" | "agentSocket">;

/**
 * Pool of SSH connections: one per machine and login, however many resources are on the machine, and one per jump host, however many
 * machines are behind it.
 */
export class Connections {
  private readonly remotes = new Map<string, Remote>();
  private readonly runtime: SshRuntime;

  constructor(
    settings: SshSettings = DEFAULT_SETTINGS,
    { clock = systemClock, trace = noTrace }: { clock?: Clock; trace?: Trace } = {},
  ) {
    this.runtime = {
      settings,
      clock,
      trace,
      places: new ConnectionLimit(() => settings.connectionLimit),
      handshakes: new Semaphore(PARALLEL_HANDSHAKES),
    };
  }

  get(connection: Connection): Remote {
    const existing = this.remotes.get(loginOf(connection));
    return existing && isPinned(existing, connection) ? existing : this.trust(connection);
  }

  /** Opens a new connection and trusts the host key that it shows: for a Host that has no pinned key. */
  trust(connection: Connection): Remote {
    const login = loginOf(connection);
    this.remotes.get(login)?.close();
    const remote = new Remote(connection, this.runtime, connection.jump && this.get(connection.jump));
    this.remotes.set(login, remote);
    return remote;
  }

  /** Closes all connections: an open one would keep a command from ending. */
  closeAll(): void {
    for (const remote of this.remotes.values()) remote.close();
  }
}

/** Identifies a login: machine, user, credentials and jump hosts. Pins are compared separately. */
function loginOf({
  host,
  port,
  user,
  privateKeyPath,
  privateKey,
  agent,
  password,
  sudoPassword,
  jump,
}: Connection): string {
  const parts = [
    host,
    port,
    user,
    privateKeyPath,
    privateKey,
    agent ?? false,
    password,
    sudoPassword,
    jump && loginOf(jump),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The first connection may have been made without a pin; a later caller with the pin that it met shares it. */
function isPinned(existing: Remote, { hostKey, jump }: Connection): boolean {
  if (hostKey !== undefined && (existing.pin === undefined || !sameKey(existing.pin, hostKey))) return false;
  return existing.via === undefined || jump === undefined || isPinned(existing.via, jump);
}
