import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { messageOf } from "../../common/errors";
import type { Clock } from "../../common/clock";
import type { ProviderSettings } from "../settings/settings";
import type { Trace } from "../settings/trace";
import { authentication, describeCredentials } from "./auth";
import { Dialed } from "./client";
import { ConnectionError, HostKeyError } from "./errors";
import { fingerprint, publicKeyOf, sameKey } from "./host-key";

const READY_TIMEOUT_MS = 15_000;
const KEEPALIVE_MS = 5_000;
const KEEPALIVES_MISSED = 4;
/** SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE (RFC 4253, section 11.1) */
const NO_MORE_AUTH_METHODS = 14;

export interface DialRuntime {
  readonly settings: Pick<ProviderSettings, "patience" | "agentSocket" | "acceptHostKeys"> &
    Partial<Pick<ProviderSettings, "adopting">>;
  readonly clock: Clock;
  readonly trace: Trace;
}

/**
 * Attempts once to open a connection. The host key is verified before any credential is sent.
 * @param jump a stream to the machine through its jump host
 * @throws ConnectionError
 */
export function dial(
  connection: Connection,
  runtime: DialRuntime,
  signal: AbortSignal,
  jump?: Duplex,
): Promise<Dialed> {
  signal.throwIfAborted();
  const { clock, trace } = runtime;
  const config = clientConfig(connection, runtime);
  const start = clock.now();
  const stream = jump ?? connectTo(connection);
  return new Promise((resolve, reject) => {
    const client = new Client();
    let shown = "";
    let agentError = "";
    const settle = () => signal.removeEventListener("abort", onAbort);
    const fail = (error: Error) => {
      settle();
      client.removeAllListeners("error").on("error", () => undefined);
      client.end();
      stream.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    client.on("ready", () => {
      settle();
      client.removeListener("close", onClose);
      trace({ ssh: "connect", host: connection.host, name: connection.name, start, end: clock.now() });
      resolve(new Dialed(client, stream, shown));
    });
    client.on("error", (error: SshError) => {
      // ssh2 tries the other credentials next.
      if (error.level === "agent") agentError = ` (${error.message})`;
      else fail(explain(connection, error, shown, agentError));
    });
    // A server that reboots, or whose LoginGraceTime ends, closes the connection without an error.
    const onClose = () => fail(closedEarly(connection, shown));
    client.on("close", onClose);
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => connection.password ?? "")),
    );
    const hostVerifier = (key: Buffer) => {
      shown = publicKeyOf(key);
      return isExpectedKey(connection, shown, runtime.settings.acceptHostKeys);
    };
    try {
      client.connect({ ...config, hostVerifier, sock: stream });
    } catch (error) {
      fail(unusableKey(connection, error));
    }
  });
}

function connectTo({ host, port }: Connection): Duplex {
  // 3.6 ms per command instead of 44 ms: no Nagle against delayed acknowledgements
  return connect({ host, port, noDelay: true }).on("error", () => undefined);
}

/** Whether the key is the pinned one, or one that the user has accepted for this machine. */
function isExpectedKey(connection: Connection, shown: string, accepted: ProviderSettings["acceptHostKeys"]): boolean {
  if (connection.hostKey === undefined || sameKey(connection.hostKey, shown)) return true;
  return fingerprint(shown).split(" ")[1] === acceptedFingerprint(connection, accepted);
}

function acceptedFingerprint({ name, host }: Connection, accepted: ProviderSettings["acceptHostKeys"]) {
  return accepted[name ?? host] ?? accepted[host];
}

function clientConfig(connection: Connection, { settings }: DialRuntime): ConnectConfig {
  const { host, port, hostKey } = connection;
  // With a pinned ed25519 key, the server must present its ed25519 key, even if it has others.
  const isTypePinned = hostKey && acceptedFingerprint(connection, settings.acceptHostKeys) === undefined;
  return {
    host,
    port,
    ...authentication(connection, settings.agentSocket),
    readyTimeout: READY_TIMEOUT_MS * settings.patience,
    keepaliveInterval: KEEPALIVE_MS * settings.patience,
    keepaliveCountMax: KEEPALIVES_MISSED,
    algorithms: {
      // The same order on every machine; first the cheapest cipher on processors with AES instructions.
      cipher: { prepend: ["aes128-gcm@openssh.com"], append: [], remove: [] },
      ...(isTypePinned ? { serverHostKey: hostKeyAlgorithms(hostKey) } : {}),
    },
  };
}

type HostKeyAlgorithms = NonNullable<NonNullable<ConnectConfig["algorithms"]>["serverHostKey"]>;

function hostKeyAlgorithms(pinned: string): HostKeyAlgorithms {
  const type = keyType(pinned);
  return (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]) as HostKeyAlgorithms;
}

function keyType(key: string): string {
  return key.trim().split(/\s+/)[0] ?? "";
}

/** Explains why ssh2 rejects the configuration. Its message never contains the key. */
function unusableKey(connection: Connection, error: unknown): ConnectionError {
  const isEncrypted = /no passphrase given/i.test(messageOf(error));
  const action = isEncrypted
    ? "add the key to an agent (`ssh-add`), and set agent: true"
    : "use a private key in OpenSSH's format or PEM";
  const cause = isEncrypted ? "the private key is encrypted" : messageOf(error);
  return new ConnectionError(connection, cause, "refused", action);
}

function closedEarly(connection: Connection, shown: string): ConnectionError {
  const phase = shown ? "during authentication" : "before the host key was exchanged";
  const action = "check that the machine is not starting or shutting down, and read its sshd log (`journalctl -u ssh`)";
  return new ConnectionError(connection, `the server closed the connection ${phase}`, "transient", action);
}

type SshError = Error & { level?: string; code?: string | number };

function explain(connection: Connection, error: SshError, shown: string, agentError: string): ConnectionError {
  const { hostKey, port } = connection;
  if (hostKey && shown && error.message.includes("Host denied")) return new HostKeyError(connection, shown);
  if (hostKey && /no matching host key/i.test(error.message)) return missingKeyType(connection, hostKey);
  if (isAuthenticationRefused(error)) return loginRefused(connection, agentError);
  if (/no matching/i.test(error.message))
    return new ConnectionError(
      connection,
      error.message,
      "refused",
      "update the SSH server, or its list of algorithms",
    );
  return new ConnectionError(
    connection,
    error.message || String(error.code ?? "unknown error"),
    "transient",
    `check that the machine is running and that port ${port} is open`,
  );
}

/** The server may disconnect instead of refusing the last credential ("Too many authentication failures"). */
function isAuthenticationRefused({ level, code, message }: SshError): boolean {
  return (
    level === "client-authentication" ||
    code === NO_MORE_AUTH_METHODS ||
    /too many authentication failures/i.test(message)
  );
}

function loginRefused(connection: Connection, agentError: string): ConnectionError {
  const { user, password } = connection;
  const cause = `the host rejects the ${describeCredentials(connection)} of user ${user}${agentError}`;
  const orPassword = password === undefined ? "" : ", or correct the password";
  const action = `add the public key to the authorized_keys of ${user}${orPassword}`;
  return new ConnectionError(connection, cause, "refused", action);
}

function missingKeyType(connection: Connection, pinned: string): ConnectionError {
  return new ConnectionError(
    connection,
    `the host has no ${keyType(pinned)} key, which is the type of the pinned one (${fingerprint(pinned)})`,
    "identity",
    "another machine may have this address; if not, pin the key that `ssh-keyscan` shows (hostKey)",
  );
}
