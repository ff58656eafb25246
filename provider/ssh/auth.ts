import { existsSync, readFileSync } from "node:fs";
import type { AuthenticationType, ConnectConfig } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import { localPath } from "../../common/portable-path";
import { ConnectionError } from "./errors";

/** A key that Vagrant has created on the computer that has the machine. */
const VAGRANTS_KEY = /\/\.vagrant\/machines\/[^/]+\/[^/]+\/private_key$/;

/** Returns the credentials of a connection: keys are tried first, a password last. */
export function authentication(connection: Connection, agentSocket: string | undefined): ConnectConfig {
  const { user, password } = connection;
  const privateKey = readPrivateKey(connection);
  const agent = connection.agent ? requireAgent(connection, agentSocket) : undefined;
  const authHandler: AuthenticationType[] = [
    ...(privateKey ? (["publickey"] as const) : []),
    ...(agent ? (["agent"] as const) : []),
    // Servers accept passwords by either of the two methods.
    ...(password === undefined ? [] : (["password", "keyboard-interactive"] as const)),
  ];
  if (authHandler.length === 0)
    throw new ConnectionError(
      connection,
      "the connection has no private key, no agent and no password",
      "refused",
      "set privateKeyPath, agent or password",
    );
  return {
    username: user,
    authHandler,
    ...optional({ privateKey, agent, password }),
    tryKeyboard: password !== undefined,
  };
}

/** Lists the credentials that were tried, for the error: `key, agent's keys, password`. */
export function describeCredentials({ privateKey, privateKeyPath, agent, password }: Connection): string {
  const tried = [
    (privateKey ?? privateKeyPath) && "key",
    agent && "agent's keys",
    password !== undefined && "password",
  ];
  return tried.filter(Boolean).join(", ");
}

function readPrivateKey(connection: Connection): string | Buffer | undefined {
  if (connection.privateKey) return connection.privateKey;
  if (!connection.privateKeyPath) return undefined;
  const file = localPath(connection.privateKeyPath);
  if (!existsSync(file)) throw missingKey(connection, file);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConnectionError(
      connection,
      `the private key cannot be read: ${messageOf(error)}`,
      "refused",
      "set privateKeyPath to a readable private key",
    );
  }
}

function missingKey(connection: Connection, file: string): ConnectionError {
  const action = VAGRANTS_KEY.test(file)
    ? "run this command on the computer whose Vagrant has the machine, in the folder of the project there"
    : "copy the key there, or set privateKeyPath; `pulumi refresh` writes a key that the state has";
  return new ConnectionError(connection, `the private key ${file} is not on this computer`, "refused", action);
}

function requireAgent(connection: Connection, socket: string | undefined): string {
  if (socket) return socket;
  throw new ConnectionError(
    connection,
    "no SSH agent is running: SSH_AUTH_SOCK is not set",
    "refused",
    "start one (`ssh-agent`), and add the key (`ssh-add`)",
  );
}
