import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { StepError } from "../../common/errors";
import { stackFolder } from "./paths";

interface Named {
  name: string;
  [kind: string]: unknown;
}

interface KubeconfigFile {
  clusters?: Named[] | null;
  users?: Named[] | null;
  contexts?: Named[] | null;
  "current-context"?: string;
  [other: string]: unknown;
}

type List = "clusters" | "users" | "contexts";

/** Name of a stack's cluster, user and context in the user's kubeconfig. */
export const contextName = (stack: string) => `kubewright-${stack}`;

/** The user's kubeconfig: the first file of KUBECONFIG, or ~/.kube/config. */
export function userKubeconfig(): string {
  const [first] = (process.env.KUBECONFIG ?? "").split(delimiter).filter(Boolean);
  return resolve(first ?? join(homedir(), ".kube", "config"));
}

/**
 * Adds the cluster of a stack to the user's kubeconfig, and makes it the current context.
 * @param source the stack's own kubeconfig
 * @returns the path of the user's kubeconfig
 * @throws StepError where the name belongs to another cluster
 */
export function mergeKubeconfig(stack: string, source: string, target = userKubeconfig()): string {
  if (target === source) throw refusal(`KUBECONFIG is the cluster's own kubeconfig`, "unset KUBECONFIG");
  const name = contextName(stack);
  const own = renamed(read(source), name);
  const existing = read(target);
  if (!isRecorded(stack, target) && (existing.clusters ?? []).some((cluster) => cluster.name === name))
    throw refusal(`${target} already has a cluster named ${name}`, `remove it with \`kubectl config delete-cluster\``);
  const lists = listsFrom((list) => [...others(existing[list], name), ...(own[list] ?? [])]);
  write(target, {
    apiVersion: "v1",
    kind: "Config",
    ...existing,
    ...lists,
    "current-context": name,
  });
  writeFileSync(recordFile(stack), JSON.stringify({ target }));
  return target;
}

/** Removes the cluster of a stack from the kubeconfig that it was added to. Returns the path of that file. */
export function unmergeKubeconfig(stack: string): string | undefined {
  const target = recordedTarget(stack);
  rmSync(recordFile(stack), { force: true });
  if (target === undefined || !existsSync(target)) return undefined;
  const name = contextName(stack);
  const { "current-context": current, ...existing } = read(target);
  const lists = listsFrom((list) => others(existing[list], name));
  write(target, {
    ...existing,
    ...lists,
    "current-context": current === name ? "" : (current ?? ""),
  });
  return target;
}

const recordFile = (stack: string) => join(stackFolder(stack), "merged-kubeconfig.json");

function recordedTarget(stack: string): string | undefined {
  if (!existsSync(recordFile(stack))) return undefined;
  return (JSON.parse(readFileSync(recordFile(stack), "utf8")) as { target: string }).target;
}

function isRecorded(stack: string, target: string): boolean {
  return recordedTarget(stack) === target;
}

/** Gives the only cluster, user and context of a kubeconfig one name. */
function renamed({ clusters, users }: KubeconfigFile, name: string): Pick<KubeconfigFile, List> {
  return {
    clusters: [{ ...clusters?.[0], name }],
    users: [{ ...users?.[0], name }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
}

function listsFrom(entriesOf: (list: List) => Named[]): KubeconfigFile {
  return { clusters: entriesOf("clusters"), users: entriesOf("users"), contexts: entriesOf("contexts") };
}

function others(list: Named[] | null | undefined, name: string): Named[] {
  return (list ?? []).filter((entry) => entry.name !== name);
}

function read(file: string): KubeconfigFile {
  return existsSync(file) ? ((parse(readFileSync(file, "utf8")) ?? {}) as KubeconfigFile) : {};
}

/** Replaces the file as a whole, so that kubectl never reads half of it. It contains keys. */
function write(file: string, content: KubeconfigFile): void {
  const temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(temporary, stringify(content, { lineWidth: 0 }), { mode: 0o600 });
  renameSync(temporary, file);
}

function refusal(cause: string, action: string): StepError {
  return new StepError({ step: "merging the kubeconfig", cause, action });
}
