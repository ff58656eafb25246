import { parseKey } from "../../render/backup/etcd-keys";
import type { ChangedKey } from "../../provider/backup/snapshot-content";
import { pluralize, table } from "../terminal/text";
import type { BackupFacts } from "../../provider/backup/facts";
import { describeAge } from "./text";
import { userCommand } from "../../common/user-command";

/** Kinds that the cluster itself writes all the time: events, leases, and the status of nodes (`minions`). */
const VOLATILE = ["minions", "events", "leases", "masterleases", "ranges", "peerserverleases"];
const SHOWN_NAMES = 5;

export interface RestorePlan {
  id: string;
  facts: BackupFacts;
  /** Absent where etcd does not answer. */
  changes?: readonly ChangedKey[] | undefined;
  /** Nodes of the backup that have left since, and whose Node objects are deleted again. */
  left: readonly string[];
  /** Nodes that have joined since, and stay. */
  joined: readonly string[];
  /** Nodes of the backup that are no machines of the stack, while no API says whether they have left. */
  unknown: readonly string[];
  /** Version of the API servers now, without the `v`; absent where none answers. */
  kubernetes?: string | undefined;
}

interface KindChanges {
  kind: string;
  created: string[];
  changed: string[];
  deleted: string[];
}

/** Groups changed keys by kind. */
export function changesByKind(changes: readonly ChangedKey[]): KindChanges[] {
  const kinds = new Map<string, KindChanges>();
  for (const { change, key } of changes) {
    const { kind, name } = parseKey(key);
    if (VOLATILE.includes(kind)) continue;
    const group = kinds.get(kind) ?? { kind, created: [], changed: [], deleted: [] };
    kinds.set(kind, group);
    group[change].push(name);
  }
  return [...kinds.values()].sort((one, other) => one.kind.localeCompare(other.kind));
}

/** Says what a restore brings back, and what it loses. */
export function restorePlanText(
  { id, facts, changes, left, joined, unknown, kubernetes }: RestorePlan,
  now: number,
): string {
  const { time, node, content } = facts;
  const lines = [
    `Restore backup ${id} of ${time}, ${describeAge(time, now)} old, taken on ${node} at revision ${content.revision}.`,
    "",
    ...(changes ? changeLines(changesByKind(changes)) : ["etcd does not answer, so what will be lost is not known."]),
    ...(left.length > 0 ? [`Nodes that have left since: ${left.join(", ")}. They are deleted again.`] : []),
    ...(joined.length > 0 ? [`Nodes that have joined since: ${joined.join(", ")}. They stay.`] : []),
    ...(unknown.length > 0 ? [`Nodes that are no machines of this stack: ${unknown.join(", ")}. They come back.`] : []),
    ...versionLines(facts.kubernetes, kubernetes),
    "The API is not available for about a minute. Pods continue to run, and follow the restored state afterwards.",
  ];
  return `${lines.join("\n")}\n`;
}

function changeLines(kinds: readonly KindChanges[]): string[] {
  if (kinds.length === 0) return ["No object differs from the backup."];
  const count = (names: readonly string[]) => (names.length === 0 ? "-" : String(names.length));
  const rows = kinds.map(({ kind, created, changed, deleted }) => [
    kind,
    count(created),
    count(changed),
    count(deleted),
  ]);
  return [
    "What was written since will be lost:",
    ...table([["KIND", "CREATED, DISAPPEAR", "CHANGED, REVERT", "DELETED, COME BACK"], ...rows]),
    ...kinds.flatMap(({ kind, created, deleted }) => [
      ...nameLine(`${kind} that disappear`, created),
      ...nameLine(`${kind} that come back`, deleted),
    ]),
    "",
  ];
}

function nameLine(label: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > SHOWN_NAMES ? ` and ${pluralize(names.length - SHOWN_NAMES, "other")}` : "";
  return [`  ${label}: ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`];
}

function versionLines(backup: string, now: string | undefined): string[] {
  if (now === undefined || backup === now) return [];
  return [
    `The backup is from Kubernetes ${backup}, the API servers have ${now}: run \`${userCommand("up")}\` after the ` +
      "restore, which updates kubeadm's configuration.",
  ];
}
