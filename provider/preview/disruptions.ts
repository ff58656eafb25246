import semver from "semver";
import { optional } from "../../common/optional";
import { isSameMinor } from "../../render/version-skew";
import { isObject } from "../rpc/values";
import { ENDING_CERTIFICATES } from "./differences";
import { valueAt } from "./values";
import { CONTROL_PLANE, componentOf, type MachineOutcome, type Outcome } from "./machine-outcome";
import { briefly } from "./messages";
import { RENEW_AFTER } from "./notices";
import { byNumber, type Step } from "./step";

/** An impact that users or operators of the cluster will notice. */
export interface Disruption {
  machine: string;
  /** `worker-1 is drained, and its machine is recreated` */
  what: string;
  /** `image changes from a to b` */
  why?: string;
}

/**
 * Returns the disruptions of a run: the loss of the cluster alone, or else those of the control plane before those of
 * workers.
 */
export function disruptionsOf(outcomes: readonly MachineOutcome[]): Disruption[] {
  const controlPlanes = outcomes.filter(({ isControlPlane }) => isControlPlane);
  const loss = lossOfAll(controlPlanes);
  if (loss) return [loss];
  const isHa = controlPlanes.length > 1;
  return disruptions(
    outcomes,
    isHa ? "the other control planes serve the API" : "the API is unavailable for some seconds",
  );
}

/** Returns the disruptions of a single resource, without knowledge of the other machines. */
export function disruptionsOfOne(outcome: MachineOutcome): Disruption[] {
  return disruptions([outcome], "with a single control plane the API is unavailable for some seconds");
}

/** Returns a disruption as a sentence without its full stop. */
export function sentenceOf({ what, why }: Disruption): string {
  return `${what}${why === undefined ? "" : `, because ${why}`}`;
}

function disruptions(outcomes: readonly MachineOutcome[], availability: string): Disruption[] {
  const losses = outcomes.filter(({ losesCluster }) => losesCluster).map(lossOf);
  if (losses.length > 0) return losses;
  const sorted = [...outcomes].sort(
    (one, other) => Number(other.isControlPlane) - Number(one.isControlPlane) || byNumber(one.machine, other.machine),
  );
  return sorted.flatMap((outcome) => [...interruptionsOf(outcome, availability), ...departureOf(outcome)]);
}

function lossOf({ machine, why }: MachineOutcome): Disruption {
  const what = `the cluster is recreated, and everything in it is LOST: ${machine} holds its state`;
  return { machine, what, ...optional({ why }) };
}

/** A cluster with several control planes is lost if none of them stays. */
function lossOfAll(controlPlanes: readonly MachineOutcome[]): Disruption | undefined {
  const existing = controlPlanes.filter(({ outcome }) => outcome !== "created" && outcome !== "joins");
  const [first] = existing;
  if (!first || existing.length < 2 || existing.some(({ outcome }) => DEPARTURES[outcome] === undefined))
    return undefined;
  const names = listed(existing.map(({ machine }) => machine));
  const what = `everything in the cluster is LOST: none of its control planes ${names} stays in this run`;
  return { machine: first.machine, what, ...optional({ why: first.why }) };
}

const DEPARTURES: Partial<Record<Outcome, string>> = {
  recreated: "is drained, and its machine is recreated",
  rejoins: "is drained, leaves and joins again",
  removed: "is drained, and its machine is deleted",
  leaves: "is drained and leaves; its machine stays, without Kubernetes",
};

/** For a machine that is a node before the run. */
function departureOf({ machine, outcome, why, isControlPlane }: MachineOutcome): Disruption[] {
  const departure = DEPARTURES[outcome];
  if (departure === undefined) return [];
  const what = `${machine} ${isControlPlane ? "leaves the control plane, " : ""}${departure}`;
  return [{ machine, what, why: why ?? "it is no longer configured" }];
}

/**
 * Restarts of the API server and etcd, and drains for another minor version of the kubelet. The scheduler and the
 * controller manager may be unavailable for a moment.
 */
function interruptionsOf({ machine, steps }: MachineOutcome, availability: string): Disruption[] {
  return steps
    .filter(({ op }) => op === "update")
    .flatMap((step) => {
      if (step.kind === "Node") return drainForKubelet(machine, step);
      const servers = restartedBy(step);
      if (servers.length === 0) return [];
      const verb = servers.length === 1 ? "restarts" : "restart";
      return [{ machine, what: `${listed(servers)} of ${machine} ${verb} (${availability})`, why: causeOf(step) }];
    });
}

/** The provider drains the node only if another one can take its pods, which a preview does not know. */
function drainForKubelet(machine: string, { current, desired }: Step): Disruption[] {
  const [from, to] = [semver.parse(String(current.version)), semver.parse(String(desired.version))];
  const isDrained = desired.program !== undefined && desired.pool !== "control-plane" && desired.uncontrolled !== true;
  if (!from || !to || !isDrained || isSameMinor(from.version, to.version)) return [];
  const why = `version ${briefly(from.version, to.version)}`;
  return [{ machine, what: `${machine} is drained, and its kubelet is replaced`, why }];
}

const SERVERS: Readonly<Record<string, string>> = { etcd: "etcd", "kube-apiserver": "the API server" };
/**
 * Which servers read a section of kubeadm's ClusterConfiguration. The API server reads every section that is not
 * listed.
 */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  etcd: ["etcd"],
  controllerManager: [],
  scheduler: [],
  dns: [],
  proxy: [],
  // Used for the next certificates.
  encryptionAlgorithm: [],
  // Only names in certificates and kubeconfigs depend on it.
  controlPlaneEndpoint: [],
};
/** The API server reads a new certificate without a restart. */
const CERTIFICATE_NAMES = "ClusterConfiguration.apiServer.certSANs";

function restartedBy(step: Step): string[] {
  if (step.type !== CONTROL_PLANE) {
    const server = SERVERS[componentOf(step) ?? ""];
    return server === undefined ? [] : [server];
  }
  const changed = step.paths.map((path) => namedPath(step, path));
  const servers = changed
    .filter((path) => path.startsWith("ClusterConfiguration.") && !path.startsWith(CERTIFICATE_NAMES))
    .flatMap((path) => SECTIONS[path.split(".")[1] ?? ""] ?? ["the API server"]);
  const all = [...servers, ...editedServers(step), ...renewedServers(step)];
  return Object.values(SERVERS).filter((server) => all.includes(server) || changed.includes("documents"));
}

/** Returns the servers whose manifest another program edited: the manifest is restored, which restarts them. */
function editedServers({ current }: Step): string[] {
  const problem = typeof current.problem === "string" ? current.problem : "";
  return Object.entries(SERVERS).flatMap(([name, server]) => (problem.includes(`/${name}.yaml`) ? [server] : []));
}

/** The API server restarts with its new certificates. etcd reads them without a restart. */
function renewedServers({ current, paths }: Step): string[] {
  const problems = typeof current.problem === "string" ? current.problem.split("; ") : [];
  const named = problems.filter((one) => ENDING_CERTIFICATES.test(one));
  const isRenewed = named.some((one) => /apiserver|front-proxy-client/.test(one));
  return isRenewed || (named.length === 0 && paths.includes(RENEW_AFTER)) ? ["the API server"] : [];
}

/** Causes that are listed before the rest is only counted. */
const MAX_CAUSES = 3;

function causeOf(step: Step): string {
  const causes = step.paths
    .filter((path) => /^(documents|manifest|files|restartOn|problem|renewAfter)\b/.test(path))
    .filter((path) => path !== RENEW_AFTER || !step.paths.includes("problem"))
    .map((path) => causeAt(step, path));
  return causes.length > MAX_CAUSES
    ? `${causes.slice(0, MAX_CAUSES).join(", ")} and ${causes.length - MAX_CAUSES} more change`
    : causes.join(", ");
}

function causeAt(step: Step, path: string): string {
  if (path === "problem") return String(step.current.problem);
  if (path === RENEW_AFTER) return "by the state its certificates end soon, unless the timer has renewed them since";
  const [current, desired] = [valueAt(step.current, path), valueAt(step.desired, path)];
  const warning = isDowngrade(current, desired) ? " (Kubernetes does not support downgrades)" : "";
  return `${namedPath(step, path)} ${briefly(current, desired)}${warning}`;
}

function isDowngrade(current: unknown, desired: unknown): boolean {
  const [before, after] = [semver.parse(String(current)), semver.parse(String(desired))];
  return before !== null && after !== null && semver.lt(after, before);
}

/** Names a document of a list by its kind: `ClusterConfiguration.apiServer` instead of `documents[1].apiServer`. */
export function namedPath({ current, desired }: Pick<Step, "current" | "desired">, path: string): string {
  const [head = ""] = /^documents\[\d+\]/.exec(path) ?? [];
  const document = valueAt(desired, head) ?? valueAt(current, head);
  return head !== "" && isObject(document) && typeof document.kind === "string"
    ? `${document.kind}${path.slice(head.length)}`
    : path;
}

/** Joins words as English does: `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
