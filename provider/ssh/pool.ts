import type { Connection } from "./connection";
import { Remote } from "./remote";

const remotes = new Map<string, Remote>();

/** One connection per machine and login for the life of the provider, whatever the number of resources on it. */
export function remote(connection: Connection): Remote {
  const { host, port, user, privateKeyPath, privateKey, hostKey } = connection;
  const key = JSON.stringify([host, port ?? 22, user ?? "root", privateKeyPath ?? privateKey, hostKey]);
  const known = remotes.get(key);
  if (known) return known;
  const made = new Remote(connection);
  remotes.set(key, made);
  return made;
}
