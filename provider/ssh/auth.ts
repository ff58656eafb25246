import { readFileSync } from "node:fs";
import type { AuthenticationType, ConnectConfig } from "ssh2";
import { messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { ConnectionError } from "./errors";

/** What a connection logs in with: keys first, a password last, and nothing that was not given. */
export function authentication(connection: Connection, agentSocket: string | undefined): ConnectConfig {
  const { user, password } = connection;
  const privateKey = privateKeyOf(connection);
  const agent = connection.agent ? agentOf(connection, agentSocket) : undefined;
  const methods: AuthenticationType[] = [
    ...(privateKey ? (["publickey"] as const) : []),
    ...(agent ? (["agent"] as const) : []),
    // A server that knows passwords may know them by either name.
    ...(password === undefined ? [] : (["password", "keyboard-interactive"] as const)),
  ];
  if (methods.length === 0)
    throw new ConnectionError(
      connection,
      "no private key is given, no agent and no password",
      false,
      "set privateKeyPath, agent or password",
    );
  return {
    username: user,
    authHandler: methods,
    ...(privateKey ? { privateKey } : {}),
    ...(agent ? { agent } : {}),
    ...(password === undefined ? {} : { password, tryKeyboard: true }),
  };
}

/** `key`, `agent's keys, password`: what was tried, for a person whose login is refused. */
export function describeCredentials({ privateKey, privateKeyPath, agent, password }: Connection): string {
  const tried = [
    (privateKey ?? privateKeyPath) && "key",
    agent && "agent's keys",
    password !== undefined && "password",
  ];
  return tried.filter(Boolean).join(", ");
}

function privateKeyOf(connection: Connection): string | Buffer | undefined {
  if (connection.privateKey) return connection.privateKey;
  if (!connection.privateKeyPath) return undefined;
  try {
    return readFileSync(connection.privateKeyPath);
  } catch (error) {
    throw new ConnectionError(
      connection,
      `the private key cannot be read: ${messageOf(error)}`,
      false,
      "give the path of a readable key",
    );
  }
}

function agentOf(connection: Connection, socket: string | undefined): string {
  if (socket) return socket;
  throw new ConnectionError(
    connection,
    "no SSH agent runs here: SSH_AUTH_SOCK is not set",
    false,
    "start one (`ssh-agent`), and give it the key (`ssh-add`)",
  );
}
