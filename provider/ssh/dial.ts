import { readFileSync } from "node:fs";
import { Client, type ConnectConfig } from "ssh2";
import { StepError, messageOf } from "../../common/errors";
import { trace } from "../trace";
import { describe, type Connection } from "./connection";
import { publicKeyOf, sameKey } from "./host-key";

const READY_TIMEOUT_MS = 15_000;
const KEEPALIVE_MS = 5_000;
const KEEPALIVES_MISSED = 4;

export interface Dialed {
  client: Client;
  /** The key that the host showed: `ssh-ed25519 AAAA...`. */
  hostKey: string;
}

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
    const cause = `the host shows another key (${shown.slice(0, 40)}...) than the pinned one`;
    super(connection, cause, false, "if you rebuilt this machine run `pulumi up --refresh`, else somebody may be between you and it");
    this.name = "HostKeyError";
  }
}

/** One attempt at a connection, its host key verified against the pinned one. */
export function dial(connection: Connection, signal: AbortSignal): Promise<Dialed> {
  const config = configOf(connection);
  const start = Date.now();
  return new Promise((done, fail) => {
    const client = new Client();
    let shown = "";
    const end = (error: Error) => {
      client.removeAllListeners("error").on("error", () => undefined);
      client.end();
      fail(error);
    };
    const abort = () => end(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    client.on("ready", () => {
      signal.removeEventListener("abort", abort);
      client.setNoDelay(true); // 44 ms to 3.6 ms an exec: no Nagle against delayed acknowledgements
      trace({ ssh: "connect", host: connection.host, name: connection.name, start, end: Date.now() });
      done({ client, hostKey: shown });
    });
    client.on("error", (error) => end(explain(connection, error, shown)));
    client.connect({
      ...config,
      hostVerifier: (key: Buffer) => {
        shown = publicKeyOf(key);
        return connection.hostKey === undefined || sameKey(connection.hostKey, shown);
      },
    });
  });
}

function configOf(connection: Connection): ConnectConfig {
  return {
    host: connection.host,
    port: connection.port ?? 22,
    username: connection.user ?? "root",
    privateKey: privateKeyOf(connection),
    readyTimeout: READY_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_MISSED,
    algorithms: {
      // The same order on every machine, cheapest cipher first where the processor has AES instructions.
      cipher: { prepend: ["aes128-gcm@openssh.com"], append: [], remove: [] },
      // An ed25519 pin must meet an ed25519 key, though the host has others.
      ...(connection.hostKey ? { serverHostKey: hostKeyAlgorithms(connection.hostKey) } : {}),
    },
  };
}

type HostKeyAlgorithms = NonNullable<NonNullable<ConnectConfig["algorithms"]>["serverHostKey"]>;

function hostKeyAlgorithms(pinned: string): HostKeyAlgorithms {
  const type = pinned.trim().split(/\s+/)[0] ?? "";
  return (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]) as HostKeyAlgorithms;
}

function privateKeyOf(connection: Connection): string | Buffer {
  if (connection.privateKey) return connection.privateKey;
  if (!connection.privateKeyPath) throw new ConnectionError(connection, "no private key is given", false, "set privateKeyPath");
  try {
    return readFileSync(connection.privateKeyPath);
  } catch (error) {
    throw new ConnectionError(connection, `the private key cannot be read: ${messageOf(error)}`, false, "give the path of a readable key");
  }
}

function explain(connection: Connection, error: Error & { level?: string; code?: string }, shown: string): ConnectionError {
  if (connection.hostKey && shown && !sameKey(connection.hostKey, shown)) {
    return new HostKeyError(connection, shown);
  }
  if (error.level === "client-authentication") {
    const user = connection.user ?? "root";
    return new ConnectionError(connection, `the host refuses the key for user ${user}`, false, `add the public key to ${user}'s authorized_keys`);
  }
  return new ConnectionError(connection, error.message || (error.code ?? "unknown error"), true, "is the machine up and port 22 open?");
}
