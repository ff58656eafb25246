import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import { messageOf } from "../../common/errors";
import { authentication, describeCredentials } from "./auth";
import type { Connection } from "../../contracts/connection";
import { ConnectionError, HostKeyError } from "./errors";
import { publicKeyOf, sameKey } from "./host-key";
import type { SshRuntime } from "./transport";

const READY_TIMEOUT_MS = 15_000;
const KEEPALIVE_MS = 5_000;
const KEEPALIVES_MISSED = 4;

export interface Dialed {
  client: Client;
  /** The key that the host showed: `ssh-ed25519 AAAA...`. */
  hostKey: string;
}

/** One attempt at a connection, its host key verified against the pinned one. `socket`: a stream through a jump host that leads there. */
export function dial(
  connection: Connection,
  { settings, clock, trace }: Pick<SshRuntime, "settings" | "clock" | "trace">,
  signal: AbortSignal,
  socket?: Duplex,
): Promise<Dialed> {
  const config = configOf(connection, settings.agentSocket);
  const start = clock.now();
  return new Promise((done, fail) => {
    const client = new Client();
    let shown = "";
    let agentSaid = "";
    const end = (error: Error) => {
      client.removeAllListeners("error").on("error", () => undefined);
      client.end();
      socket?.destroy();
      fail(error);
    };
    const abort = () => end(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    client.on("ready", () => {
      signal.removeEventListener("abort", abort);
      client.setNoDelay(true); // 44 ms to 3.6 ms an exec: no Nagle against delayed acknowledgements
      trace({ ssh: "connect", host: connection.host, name: connection.name, start, end: clock.now() });
      done({ client, hostKey: shown });
    });
    client.on("error", (error: SshError) => {
      // Other ways in are still to be tried.
      if (error.level === "agent") agentSaid = ` (${error.message})`;
      else end(explain(connection, error, shown, agentSaid));
    });
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => connection.password ?? "")),
    );
    const hostVerifier = (key: Buffer) => {
      shown = publicKeyOf(key);
      return connection.hostKey === undefined || sameKey(connection.hostKey, shown);
    };
    try {
      client.connect({ ...config, hostVerifier, ...(socket ? { sock: socket } : {}) });
    } catch (error) {
      end(unusable(connection, error));
    }
  });
}

function configOf(connection: Connection, agentSocket: string | undefined): ConnectConfig {
  return {
    host: connection.host,
    port: connection.port,
    ...authentication(connection, agentSocket),
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

/** ssh2 throws on a key that it cannot read; the message never holds the key. */
function unusable(connection: Connection, error: unknown): ConnectionError {
  const encrypted = /no passphrase given/i.test(messageOf(error));
  const action = encrypted
    ? "give it to an agent (`ssh-add`) and set agent: true"
    : "give a private key in OpenSSH's or PEM form";
  return new ConnectionError(connection, encrypted ? "the private key is encrypted" : messageOf(error), false, action);
}

type SshError = Error & { level?: string; code?: string };

function explain(connection: Connection, error: SshError, shown: string, agentSaid: string): ConnectionError {
  if (connection.hostKey && shown && !sameKey(connection.hostKey, shown)) {
    return new HostKeyError(connection, shown);
  }
  const { user, port, password } = connection;
  if (error.level === "client-authentication") {
    const action = `add the public key to ${user}'s authorized_keys${password === undefined ? "" : ", or mend the password"}`;
    return new ConnectionError(
      connection,
      `the host refuses the ${describeCredentials(connection)} for user ${user}${agentSaid}`,
      false,
      action,
    );
  }
  return new ConnectionError(
    connection,
    error.message || (error.code ?? "unknown error"),
    true,
    `is the machine up and port ${port} open?`,
  );
}
