import { createHash } from "node:crypto";
import type { Connection } from "../../contracts/connection";
import { systemClock, type Clock } from "../../common/clock";
import { localPath } from "../../common/portable-path";
import { Semaphore } from "../../common/wait";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../settings/settings";
import { noTrace, type Trace } from "../settings/trace";
import { ConnectionLimit } from "./connection-limit";
import { dial } from "./dial";
import { sameKey, withoutComment } from "./host-key";
import { MissingKeys } from "./missing-keys";
import { Remote } from "./remote";
import type { SshRuntime } from "./transport";

/** Maximum of parallel handshakes. Each takes about 10 ms of one processor, and must finish within 15 s. */
const PARALLEL_HANDSHAKES = 16;

export type SshSettings = Pick<ProviderSettings, "patience" | "connectionLimit" | "agentSocket" | "acceptHostKeys"> &
  Partial<Pick<ProviderSettings, "adopting">>;

/**
 * Pool of SSH connections: one per login and pinned host key, however many resources are on the machine. Machines
 * behind the same jump host share its connection.
 */
export class Connections {
  private readonly pinned = new Map<string, Remote>();
  /** The newest connection of each login that was opened without a pin. */
  private readonly unpinned = new Map<string, Remote>();
  /** All connections: a replaced one is opened again if a caller still uses it. */
  private readonly all = new Set<Remote>();
  private readonly runtime: SshRuntime;

  constructor(
    settings: SshSettings = DEFAULT_SETTINGS,
    {
      clock = systemClock,
      trace = noTrace,
      dialer = dial,
    }: { clock?: Clock; trace?: Trace; dialer?: typeof dial } = {},
  ) {
    this.runtime = {
      settings,
      clock,
      trace,
      limit: new ConnectionLimit(() => settings.connectionLimit),
      handshakes: new Semaphore(PARALLEL_HANDSHAKES),
      missingKeys: new MissingKeys(settings, clock),
      dial: dialer,
    };
  }

  /** Returns the connection of a machine. It is opened at its first use. */
  get(connection: Connection): Remote {
    const login = loginOf(connection);
    const first = this.unpinned.get(login);
    if (connection.hostKey === undefined) return first ?? this.trust(connection);
    const key = `${login} ${pinsOf(connection)}`;
    const existing = this.pinned.get(key) ?? (first && isPinnedTo(first, connection) ? first : this.create(connection));
    this.pinned.set(key, existing);
    return existing;
  }

  /**
   * Opens a new connection and trusts the host key that the machine presents: for a Host without a pinned key. A
   * connection without a pin that is in use is shared, because a login has one connection.
   */
  trust(connection: Connection): Remote {
    const login = loginOf(connection);
    const previous = this.unpinned.get(login);
    if (previous && ![...this.pinned.values()].includes(previous)) {
      if (!previous.idle) return previous;
      previous.close();
    }
    const remote = this.create(connection);
    this.unpinned.set(login, remote);
    return remote;
  }

  /** Closes all connections. An open connection keeps the process alive. */
  closeAll(): void {
    for (const remote of this.all) remote.close();
  }

  /** Forgets, at the beginning of a run, which machines did not answer or refused the login. */
  forgetFailures(): void {
    this.runtime.missingKeys.reset();
    for (const remote of this.all) remote.forgetFailures();
  }

  private create(connection: Connection): Remote {
    const remote = new Remote(connection, this.runtime, connection.jump && this.get(connection.jump));
    this.all.add(remote);
    return remote;
  }
}

/** Identifies a login: machine, user, credentials and jump hosts, without pins. */
function loginOf(connection: Connection): string {
  const { host, port, user, privateKeyPath, privateKey, agent = false } = connection;
  const { password, sudoPassword, jump } = connection;
  const credentials = [privateKeyPath && localPath(privateKeyPath), privateKey, agent, password, sudoPassword];
  const parts = [host, port, user, ...credentials, jump && loginOf(jump)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The pinned keys of a machine and its jump hosts. */
function pinsOf({ hostKey, jump }: Connection): string {
  return JSON.stringify([hostKey && withoutComment(hostKey), jump && pinsOf(jump)]);
}

/** Whether the keys that a connection without a pin received equal the pinned keys. */
function isPinnedTo(remote: Remote, { hostKey, jump }: Connection): boolean {
  if (hostKey !== undefined && (remote.pin === undefined || !sameKey(remote.pin, hostKey))) return false;
  return remote.via === undefined || jump === undefined || isPinnedTo(remote.via, jump);
}
