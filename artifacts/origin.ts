import { basename, dirname } from "node:path";
import { z } from "zod";
import { parseJson } from "../common/json";
import { readNotes } from "./cache";

/** The download that a file of the cache comes from: a machine can repeat it and get the same file. */
export interface Origin {
  url: string;
  /** SHA-256 of the download, in hex: the source published it, and it was verified. */
  sha256: string;
  /** Path of the file in the tar.gz, as the archive spells it. Absent when the download is the file itself. */
  member?: string | undefined;
}

/** Notes of a cache entry. `members` is a JSON object: name of the file to its path in the archive. */
export function originNotes(url: string, sha256: string, members?: Readonly<Record<string, string>>) {
  return { url, sha256, ...(members ? { members: JSON.stringify(members) } : {}) };
}

const notesSchema = z.object({
  url: z.url({ protocol: /^https?$/ }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  members: z.string().optional(),
});
const membersSchema = z.record(z.string(), z.string());

/**
 * Returns the download that a file of the cache comes from; undefined for one that was built, or that a version of
 * Kubewright without this record has downloaded.
 */
export async function originOf(path: string): Promise<Origin | undefined> {
  const notes = notesSchema.safeParse(await readNotes(dirname(path))).data;
  if (!notes) return undefined;
  const { url, sha256, members } = notes;
  if (members === undefined) return { url, sha256 };
  const member = membersSchema.safeParse(parseJson(members)).data?.[basename(path)];
  return member === undefined ? undefined : { url, sha256, member };
}
