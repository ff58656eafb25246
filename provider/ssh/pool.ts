import { createHash } from "node:crypto";
import type { Connection } from "../../contracts/connection";
import { sameKey } from "./host-key";
import { Remote } from "./remote";

const remotes = new Map<string, Remote>();

/** One connection per machine and login for the life of the provider, whatever the number of resources on it; one to a jump host, whatever the number of machines behind it. */
export function remote(connection: Connection): Remote {
  const known = remotes.get(loginOf(connection));
  return known && isPinned(known, connection) ? known : meet(connection);
}

/** Whoever is behind the address now, though another was met there before: for a Host that has no key to expect. */
export function meet(connection: Connection): Remote {
  const login = loginOf(connection);
  remotes.get(login)?.close();
  const made = new Remote(connection, connection.jump && remote(connection.jump));
  remotes.set(login, made);
  return made;
}

/** For commands that want to end: an open connection would keep them. */
export function closeAll(): void {
  for (const one of remotes.values()) one.close();
}

/** Who enters where, with what and on which way. Nobody with another user, password or way shares a connection; pins are judged apart. */
function loginOf({
  host,
  port = 22,
  user = "root",
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

/** The first connection may have been made without a pin; whoever comes with the pin that it met shares it. */
function isPinned(known: Remote, { hostKey, jump }: Connection): boolean {
  if (hostKey !== undefined && (known.pin === undefined || !sameKey(known.pin, hostKey))) return false;
  return known.via === undefined || jump === undefined || isPinned(known.via, jump);
}
