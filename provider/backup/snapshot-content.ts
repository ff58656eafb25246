import { z } from "zod";
import { StepError } from "../../common/errors";
import { parseJson } from "../../common/json";
import { quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";
import { COUNT_KINDS } from "./etcd-keys";
import { BACKUP_FOLDER, ETCDUTL, ETCD_PROGRAMS } from "./etcd-programs";
import { userCommand } from "../../common/user-command";

const SECONDS = 600;
const SEPARATOR = "--- keys ---";

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
 * Shell functions for a scratch etcd that serves a restored snapshot, for one script. It listens on a socket in a
 * folder of root, so that no other user and no pod can read the cluster's secrets from it.
 */
const SCRATCH_ETCD = `${ETCD_PROGRAMS}
umask 077
mkdir -p ${BACKUP_FOLDER}
find ${BACKUP_FOLDER} -maxdepth 1 -name 'drill.*' -mmin +60 -exec rm -rf {} +
folder=$(mktemp -d ${BACKUP_FOLDER}/drill.XXXXXX)
server=
clean_up() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; wait; rm -rf "$folder"; }
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
fail() { echo "$1" >&2; tail -n 3 "$folder/log" >&2; exit 1; }
scratch() { "$programs/etcdctl" "$@" --endpoints="unix://$folder/client" --command-timeout=60s; }
start_scratch() {
  ${ETCDUTL} snapshot restore "$1" --data-dir "$folder/data" --name drill \\
    --initial-cluster drill=http://127.0.0.1:1 --initial-advertise-peer-urls http://127.0.0.1:1 \\
    >"$folder/log" 2>&1 || fail "the snapshot cannot be restored:"
  "$programs/etcd" --name drill --data-dir "$folder/data" --unsafe-no-fsync --log-level error \\
    --initial-cluster drill=http://127.0.0.1:1 --initial-advertise-peer-urls http://127.0.0.1:1 \\
    --listen-peer-urls "unix://$folder/peer" --listen-client-urls "unix://$folder/client" \\
    --advertise-client-urls http://127.0.0.1:1 >"$folder/log" 2>&1 &
  server=$!
  until [ -S "$folder/client" ] && scratch endpoint health >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || fail "etcd does not start with the restored data:"
    sleep 0.1
  done
}
revisions() {
  awk -F' : ' '$1 == "\\"Key\\"" {key = substr($2, 2, length($2) - 2)}
    $1 == "\\"ModRevision\\"" {print key, $2}'
}`;

/**
 * Restores a snapshot into a scratch etcd on a control plane, and reads what it contains. Leaves nothing there.
 * @param path of the snapshot on the machine
 * @throws StepError where the snapshot is damaged, or etcd does not start with it
 */
export async function readSnapshot(machine: Remote, path: string, signal: AbortSignal): Promise<SnapshotContent> {
  const step = "restoring the snapshot into a scratch etcd";
  const script = `${SCRATCH_ETCD}
start_scratch ${quote(path)}
scratch endpoint hashkv -w json
echo '${SEPARATOR}'
scratch get / --prefix --keys-only -w fields | revisions | cut -d' ' -f1 | ${COUNT_KINDS}`;
  const { stdout } = await machine.run(script, {
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
  const script = `${ETCD_PROGRAMS}\nlive endpoint hashkv --rev=${revision} -w json 2>/dev/null || true`;
  const { stdout } = await machine.run(script, { step: "reading etcd's hash", signal, timeout: SECONDS });
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
