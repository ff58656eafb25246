import { optional } from "../../common/optional";
import { userCommand } from "../../common/user-command";
import { type ClusterConfig, additionalNames, poolsOf } from "../../components/config";
import { previousMinor } from "../../render/emulated-version";
import { table } from "../terminal/text";
import type { ClusterStatus } from "./cluster-status";
import { describeHolds, heldNodes } from "./upgrade-hold";
import { splitNodes } from "./upgrade-nodes";
import { oldest } from "./planned-pools";
import type { ApiServer } from "./upgrade-plan";
import { currentRecord } from "./upgrade-record";

/** An upgrade that is under way. */
export interface UpgradeJournal {
  from: string;
  to: string;
  /** Version of the step that the upgrade has reached, where it leads through several minor versions. */
  at?: string;
  done: { node: string; version: string; at?: string }[];
  waiting: { node: string; version: string; reason: string }[];
  /** What a pause holds back after which every node has the version: `pool workers stays on 1.35.4`. */
  paused?: string[];
  /** Minor version that the control planes emulate until the upgrade is resumed: `1.35`. */
  emulates?: string;
  /** Whether `upgrade --resume` continues it; otherwise `upgrade --to` does. */
  isResumed: boolean;
  /** Machines that pools have only while they are upgraded. */
  additional?: { node: string; version: string }[];
}

export interface JournalFacts {
  config: Pick<ClusterConfig, "kubernetes" | "controlPlane" | "machines" | "workers" | "pools">;
  nodes: ClusterStatus["nodes"];
  apiServers: readonly ApiServer[];
  /** When each node was last changed by a run, ISO 8601, by its name. */
  changed: ReadonlyMap<string, string>;
  /** Whether the last run failed, was interrupted, or still runs. */
  isUnfinished: boolean;
}

type Node = ClusterStatus["nodes"][number];

/** Returns the upgrade that is under way; undefined if every node has the version of the configuration. */
export function readJournal(facts: JournalFacts): UpgradeJournal | undefined {
  const { config, changed } = facts;
  const nodes = splitNodes(config, facts.nodes).configured;
  const { kubernetes, controlPlane } = config;
  const emulates = controlPlane.emulate && previousMinor(kubernetes.version);
  const own = new Map(poolsOf({ ...config, kubernetes: { hold: {} } }).map(({ name, version }) => [name, version]));
  const surplus = poolsOf(config).flatMap((pool) => additionalNames(config, pool));
  const additional = surplus.map((node) => ({ node, version: versionOf(facts, node) }));
  const upgraded = nodes.filter(({ name, pool }) => own.get(pool) === undefined && !surplus.includes(name));
  const isDone = (node: Node) => node.version === kubernetes.version && apiServerOf(facts, node) === undefined;
  const done = upgraded.filter(isDone).map(({ name: node, version }) => ({
    ...{ node, version },
    ...optional({ at: changed.get(node) }),
  }));
  const waiting = upgraded
    .filter((node) => !isDone(node))
    .map((node) => ({ node: node.name, version: node.version, reason: reasonOf(facts, node) }));
  const record = currentRecord(kubernetes);
  const to = record?.to ?? kubernetes.version;
  const at = to === kubernetes.version ? undefined : kubernetes.version;
  const held = Object.entries(kubernetes.hold).filter(([name]) => own.get(name) === undefined);
  const rest = [...waiting, ...surplus, ...held];
  if (rest.length === 0 && emulates === undefined && at === undefined) return undefined;
  // Otherwise a pause of the user would end with the step that failed.
  const isRecordedStep = record !== undefined && Object.keys(kubernetes.hold).length === 0;
  const versions = [...waiting, ...facts.apiServers, ...(record ? [{ version: record.before }] : [])];
  if (waiting.length === 0) versions.push(...held.map(([, version]) => ({ version })));
  const paused = waiting.length > 0 || held.length === 0 ? undefined : describeHolds(held, [...own.keys()]);
  return {
    from: oldest(versions.map(({ version }) => version)) ?? kubernetes.version,
    to,
    done,
    waiting,
    isResumed: isRecordedStep || waiting.every(({ reason }) => reason.includes("kubernetes.hold")),
    ...optional({ at, paused, emulates, additional: surplus.length > 0 ? additional : undefined }),
  };
}

function versionOf({ nodes }: JournalFacts, node: string): string {
  return nodes.find(({ name }) => name === node)?.version ?? "not joined";
}

/** Version of the node's API server, if that is another one than the configuration has. */
function apiServerOf({ apiServers, config }: JournalFacts, { name }: Node): string | undefined {
  return apiServers.find(({ node, version }) => node === name && version !== config.kubernetes.version)?.version;
}

function reasonOf(facts: JournalFacts, node: Node): string {
  const { kubernetes } = facts.config;
  const isCanary = kubernetes.canary.includes(node.name);
  const own = heldNodes(facts.config).get(node.name);
  if (!isCanary && own !== undefined) return `it stays on ${own} (kubernetes.hold)`;
  const held = isCanary ? undefined : kubernetes.hold[node.pool];
  if (held !== undefined) return `pool ${node.pool} stays on ${held} (kubernetes.hold)`;
  const where = apiServerOf(facts, node) === undefined ? "" : "; its API server has not changed";
  return `${facts.isUnfinished ? "the last run failed, was interrupted, or still runs" : "no run has begun"}${where}`;
}

/** Returns the journal as lines for a terminal. */
export function journalLines(journal: UpgradeJournal): string[] {
  const { from, to, at, done, waiting, paused, emulates, additional = [] } = journal;
  const count = `${done.length} of ${done.length + waiting.length} nodes done`;
  const step = at === undefined ? "" : `, at ${at}`;
  const next = journal.isResumed ? userCommand("upgrade", "--resume") : userCommand("upgrade", `--to ${to}`);
  const emulated = emulates === undefined ? "" : `; the control planes emulate ${emulates}`;
  const pause = paused === undefined ? "" : `; paused: ${paused.join(", ")}`;
  const continues = paused === undefined ? "continue with" : "end the pause with";
  const state = `${count}${emulated}${pause}; ${continues} \`${next}\``;
  const rows = [
    ...done.map(({ node, version, at = "" }) => ["  done", node, version, at]),
    ...waiting.map(({ node, version, reason }) => ["  waits", node, version, reason]),
    ...additional.map(({ node, version }) => ["  extra", node, version, "leaves at the end (kubernetes.additional)"]),
  ];
  return [`upgrade       ${from} -> ${to}${step}: ${state}`, ...table(rows)];
}
