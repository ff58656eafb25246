import type { Connection } from "./connection";
import { sameKey } from "./host-key";
import { Remote } from "./remote";

const remotes = new Map<string, Remote>();

/** One connection per machine and login for the life of the provider, whatever the number of resources on it. */
export function remote(connection: Connection): Remote {
  const { host, port, user, privateKeyPath, privateKey, hostKey } = connection;
  const login = JSON.stringify([host, port ?? 22, user ?? "root", privateKeyPath ?? privateKey]);
  const known = remotes.get(login);
  // The first connection may have been made without a pin; whoever comes with the pin that it met shares it.
  if (known && (hostKey === undefined || (known.pin !== undefined && sameKey(known.pin, hostKey)))) return known;
  known?.close();
  const made = new Remote(connection);
  remotes.set(login, made);
  return made;
}
