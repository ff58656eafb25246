import { z } from "zod";
import { StepError } from "../../common/errors";
import { parseJson } from "../../common/json";
import { quote } from "../../common/quote";
import { liveHashScript, readSnapshotScript, SCRATCH_ETCD, SEPARATOR } from "../../render/backup/scratch-etcd";
import type { Remote } from "../ssh/remote";

import { userCommand } from "../../common/user-command";

const SECONDS = 600;

/** What etcd has at one revision. Two databases with the same content have the same one. */
export const contentSchema = z.object({
  revision: z.number(),
  /** Hash of all keys and their history up to the revision. */
  hash: z.number(),
  /** Revision up to which the history was compacted; the hash depends on it. */
  compactRevision: z.number(),
  /** Number of keys by kind: `secrets`, `apps.example.com/widgets`. */
  keys: z.record(z.string(), z.number()),
});
export type SnapshotContent = z.infer<typeof contentSchema>;

/** A key that differs between the running etcd and a snapshot. */
export interface ChangedKey {
  /** `deleted`: the snapshot has it, the running etcd does not. */
  change: "created" | "changed" | "deleted";
  /** `/registry/configmaps/default/web` */
  key: string;
}

/**
 * Restores a snapshot into a scratch etcd on a control plane, and reads what it contains. Leaves nothing there.
 * @param path of the snapshot on the machine
 * @throws StepError where the snapshot is damaged, or etcd does not start with it
 */
export async function readSnapshot(machine: Remote, path: string, signal: AbortSignal): Promise<SnapshotContent> {
  const step = "restoring the snapshot into a scratch etcd";
  const { stdout } = await machine.run(readSnapshotScript(quote(path)), {
    step,
    signal,
    timeout: SECONDS,
    action: `use another backup: \`${userCommand("backup list")}\` lists them`,
  });
  const content = parseContent(stdout);
  if (content) return content;
  throw new StepError({ step, machine: machine.label, cause: `etcdctl printed ${stdout.slice(0, 200)}` });
}

const hashSchema = z.tuple([
  z.object({
    HashKV: z.object({
      hash: z.number(),
      compact_revision: z.number().default(0),
      hash_revision: z.number().optional(),
      header: z.object({ revision: z.number() }),
    }),
  }),
]);

function parseHash(text: string): Omit<SnapshotContent, "keys"> | undefined {
  const [answer] = hashSchema.safeParse(parseJson(text.trim())).data ?? [];
  if (!answer) return undefined;
  const { hash, compact_revision: compactRevision, hash_revision: revision, header } = answer.HashKV;
  return { hash, compactRevision, revision: revision ?? header.revision };
}

export function parseContent(output: string): SnapshotContent | undefined {
  const [hash = "", kinds = ""] = output.split(SEPARATOR);
  const parsed = parseHash(hash);
  const keys = kinds.split("\n").flatMap((line): [string, number][] => {
    const [, count, kind] = /^(\d+) (\S+)$/.exec(line) ?? [];
    return count !== undefined && kind !== undefined ? [[kind, Number(count)]] : [];
  });
  return parsed && { ...parsed, keys: Object.fromEntries(keys.sort(([one], [other]) => (one < other ? -1 : 1))) };
}

/**
 * Returns the hash of the running etcd at an earlier revision; undefined if its history no longer reaches back there.
 */
export async function readLiveHash(
  machine: Remote,
  revision: number,
  signal: AbortSignal,
): Promise<Omit<SnapshotContent, "keys"> | undefined> {
  const { stdout } = await machine.run(liveHashScript(String(revision)), {
    step: "reading etcd's hash",
    signal,
    timeout: SECONDS,
  });
  return parseHash(stdout);
}

/** Returns the keys that differ between the running etcd and a snapshot, sorted. */
export async function compareWithSnapshot(machine: Remote, path: string, signal: AbortSignal): Promise<ChangedKey[]> {
  const script = `${SCRATCH_ETCD}
start_scratch ${quote(path)}
scratch get / --prefix --keys-only -w fields | revisions >"$folder/old"
live get / --prefix --keys-only -w fields | revisions >"$folder/new"
[ -s "$folder/new" ] || { echo "etcd does not return its keys" >&2; exit 1; }
awk 'NR == FNR {old[$1] = $2; next}
  !($1 in old) {print "created", $1}
  $1 in old {if (old[$1] != $2) print "changed", $1; delete old[$1]}
  END {for (key in old) print "deleted", key}' "$folder/old" "$folder/new"`;
  const { stdout } = await machine.run(script, { step: "comparing the snapshot", signal, timeout: SECONDS });
  return parseChanges(stdout);
}

export function parseChanges(output: string): ChangedKey[] {
  return output
    .split("\n")
    .flatMap((line): ChangedKey[] => {
      const [, change, key] = /^(created|changed|deleted) (\/\S+)$/.exec(line) ?? [];
      return key === undefined ? [] : [{ change: change as ChangedKey["change"], key }];
    })
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
