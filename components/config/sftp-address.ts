import { complaint } from "../fields/problems";
import { port } from "../fields/fields";

/** A name that begins with `-` would be an option of ssh. */
const USER = /(?:(\w[\w.+@-]*)@)?/.source;
const HOST = /[A-Za-z0-9][\w.-]*/.source;
/** `sftp:user@host:path` */
const SHORT = new RegExp(`^sftp:${USER}${HOST}:(?<path>[^\\s]+)$`);
/** `sftp://user@host:port/path` */
const URL_FORM = new RegExp(`^sftp://${USER}(?:${HOST}|\\[[0-9A-Fa-f:.]+\\])(?::(?<port>\\d+))?/(?<path>[^\\s]+)$`);

/**
 * Returns what is wrong with the address of a repository by SFTP; undefined for an address that restic accepts, and for
 * every other repository. https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html#sftp
 */
export function sftpProblem(address: string): string | undefined {
  if (!address.startsWith("sftp:")) return undefined;
  const parts = (address.startsWith("sftp://") ? URL_FORM : SHORT).exec(address)?.groups;
  if (!parts)
    return complaint(
      "must be an address of SFTP",
      "write sftp:user@host:/path, or sftp://user@host:port//path with a port",
    );
  const { path = "", port: number } = parts;
  if (number !== undefined && !port.safeParse(Number(number)).success)
    return complaint(`has the port ${number}`, "use a port from 1 to 65535");
  if (/^\d+:/.test(path))
    return complaint("has a port, which this form cannot have", "write sftp://user@host:port//path");
  if (path.startsWith("~"))
    return complaint(
      "has a path with ~, which SFTP does not expand",
      "leave ~/ out: a path without / is in the home folder",
    );
  return undefined;
}
