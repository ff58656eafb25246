import semver from "semver";
import { isObject } from "../rpc/values";
import { valueAt } from "./differences";
import { componentOf, type Fate, type Outlook } from "./machine-outcome";
import { byNumber, type Step } from "./step";
import { briefly } from "./messages";

/** What those notice who use the cluster, or who would be sorry for it. */
export interface Disruption {
  machine: string;
  /** `worker-1 is drained and its machine is made anew` */
  what: string;
  /** `image changes from a to b` */
  why?: string;
}

/** The worst first: the cluster itself, beside whose loss nothing else counts; its control plane; its workers. */
export function disruptionsOf(outlooks: readonly Outlook[]): Disruption[] {
  const isHa = outlooks.filter(({ isControlPlane }) => isControlPlane).length > 1;
  return told(outlooks, isHa ? "the other control planes go on" : "the API is away for some seconds");
}

/** Where only one resource of a machine is known, and nothing of the others. */
export function disruptionsOfOne(outlook: Outlook): Disruption[] {
  return told([outlook], "with one control plane only, the API is away for some seconds");
}

/** As a sentence, without its full stop. */
export function sentenceOf({ what, why }: Disruption): string {
  return `${what}${why === undefined ? "" : `, because ${why}`}`;
}

function told(outlooks: readonly Outlook[], away: string): Disruption[] {
  const losses = outlooks.flatMap(lossOf);
  if (losses.length > 0) return losses;
  const sorted = [...outlooks].sort(
    (one, other) => Number(other.isControlPlane) - Number(one.isControlPlane) || byNumber(one.machine, other.machine),
  );
  return sorted.flatMap((outlook) => [...interruptionsOf(outlook, away), ...departureOf(outlook)]);
}

function lossOf({ machine, isOrigin, why }: Outlook): Disruption[] {
  return isOrigin
    ? [
        {
          machine,
          what: `the cluster is made anew, and all that is in it is LOST: it began on ${machine}`,
          ...(why === undefined ? {} : { why }),
        },
      ]
    : [];
}

const DEPARTURES: Partial<Record<Fate, string>> = {
  rebuilt: "is drained and its machine is made anew",
  rejoins: "is drained, leaves and joins again",
  removed: "is drained and its machine is removed",
  leaves: "is drained and leaves; its machine stays, without what we put on it",
};

/** Of a machine on which there was a node before. */
function departureOf({ machine, fate, why = "it is not configured any more", isControlPlane }: Outlook): Disruption[] {
  const departure = DEPARTURES[fate];
  return departure === undefined
    ? []
    : [{ machine, what: `${machine} ${isControlPlane ? "leaves the control plane, " : ""}${departure}`, why }];
}

/** Restarts of what serves the API; the scheduler and the controller manager may be away for a moment. */
function interruptionsOf({ machine, steps }: Outlook, away: string): Disruption[] {
  return steps
    .filter(({ op }) => op === "update")
    .flatMap((step) => {
      const servers = restartedBy(step);
      return servers.length === 0
        ? []
        : [
            {
              machine,
              what: `${listed(servers)} of ${machine} ${servers.length === 1 ? "restarts" : "restart"} (${away})`,
              why: causeOf(step),
            },
          ];
    });
}

const SERVERS: Readonly<Record<string, string>> = { etcd: "etcd", "kube-apiserver": "the API server" };
/** Sections of kubeadm's ClusterConfiguration, and which of the servers read them: any other is the API server's. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  etcd: ["etcd"],
  controllerManager: [],
  scheduler: [],
  dns: [],
  proxy: [],
};

function restartedBy(step: Step): string[] {
  if (step.kind !== "Init") {
    const server = SERVERS[componentOf(step) ?? ""];
    return server === undefined ? [] : [server];
  }
  const named = step.paths.map((path) => namedPath(step, path));
  const read = named
    .filter((path) => path.startsWith("ClusterConfiguration."))
    .flatMap((path) => SECTIONS[path.split(".")[1] ?? ""] ?? ["the API server"]);
  return Object.values(SERVERS).filter((server) => read.includes(server) || named.includes("documents"));
}

function causeOf(step: Step): string {
  const { paths, found, wanted } = step;
  const causes = paths
    .filter((path) => /^(documents|manifest|files|restartOn)\b/.test(path))
    .map((path) => {
      const [is, should] = [valueAt(found, path), valueAt(wanted, path)];
      return `${namedPath(step, path)} ${briefly(is, should)}${isBack(is, should) ? " (which Kubernetes does not support: versions only go up)" : ""}`;
    });
  return causes.length > FEW
    ? `${causes.slice(0, FEW).join(", ")} and ${causes.length - FEW} more change`
    : causes.join(", ");
}

function isBack(found: unknown, wanted: unknown): boolean {
  const [is, should] = [semver.parse(String(found)), semver.parse(String(wanted))];
  return is !== null && should !== null && semver.lt(should, is);
}

const FEW = 3;

/** `ClusterConfiguration.apiServer` is more to a person than `documents[1].apiServer`. */
export function namedPath({ found, wanted }: Pick<Step, "found" | "wanted">, path: string): string {
  const [head = ""] = /^documents\[\d+\]/.exec(path) ?? [];
  const document = valueAt(wanted, head) ?? valueAt(found, head);
  return head !== "" && isObject(document) && typeof document.kind === "string"
    ? `${document.kind}${path.slice(head.length)}`
    : path;
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
