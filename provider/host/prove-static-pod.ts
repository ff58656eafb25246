import { parse } from "yaml";
import { z } from "zod";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { probeHealth, type Endpoint } from "./health";
import { Stability, proveHealthy, type HealthState } from "./prove-healthy";
import { countExits, currentUids, readPodLog, readPodState, type PodState } from "./static-pods";

/** A pod whose containers have exited this often does not become healthy. */
const MOST_EXITS = 3;
/**
 * Milliseconds after which the same holds for a pod that has exited and is not started again. While the API is down,
 * the kubelet first tries for half a minute to report each exit.
 */
const LONGEST_DOWN_MS = 15_000;

export interface StaticPodProof {
  /** The component: `kube-apiserver`. */
  name: string;
  /** The pod's name in the API: `kube-apiserver-control-plane-1`. */
  pod: string;
  /** Names of the pod's containers. */
  containers: readonly string[];
  /** @default the pod is healthy when its containers run without a restart */
  endpoint?: Endpoint | undefined;
  /** The pod's containers before its manifest was written. */
  before: PodState;
  /** Whether a pod with this uid is the one that must run. */
  isExpected: (uid: string) => boolean;
  /** Seconds. @default `timeouts.healthy` of the configuration */
  timeout?: number | undefined;
  /** Called once, when the previous containers have ended and the kubelet has not started the new ones. */
  onceStopped?: (() => Promise<void>) | undefined;
}

/** Expects another pod than the one before: its manifest has changed. */
export function expectAnotherPod(before: PodState): StaticPodProof["isExpected"] {
  const previous = currentUids(before);
  return (uid) => !previous.has(uid);
}

/**
 * Waits until the kubelet has replaced a static pod, its containers run, and its health endpoint returns 200. All of it
 * is read from the machine, because the API may be what does not start.
 * @throws StepError with the last errors in the containers' log, as soon as they keep exiting, or at the deadline
 */
export async function proveStaticPod(context: Context, machine: Remote, proof: StaticPodProof): Promise<void> {
  const { name, pod, timeout } = proof;
  let { onceStopped } = proof;
  const stability = new Stability(context.clock);
  const exited = new Stability(context.clock, LONGEST_DOWN_MS);
  await proveHealthy(context, machine, {
    name,
    timeout,
    check: async () => {
      const state = await readPodState(machine, pod, context.signal);
      if (onceStopped && isStopped(state, proof)) {
        await onceStopped();
        onceStopped = undefined;
      }
      const problem = findPodProblem(state, proof, exited);
      if (problem !== undefined) return problem;
      const answer = proof.endpoint ? await probeHealth(machine, proof.endpoint) : "healthy";
      if (answer !== "healthy") return { waiting: answer };
      return isUnchanged(state, proof.before) || stability.isStable(idsOf(state).join())
        ? "healthy"
        : { waiting: "it has just started" };
    },
    readLog: () => readPodLog(machine, pod, context.signal),
    action: `see /var/log/pods/*_${pod}_* and \`journalctl -u kubelet\` on the machine`,
  });
}

function idsOf({ running }: PodState): string[] {
  return running.map(({ id }) => id).sort();
}

/** Whether the containers of before still run. */
function isUnchanged(state: PodState, before: PodState): boolean {
  return idsOf(state).join() === idsOf(before).join();
}

function isStopped({ running, started }: PodState, { isExpected }: StaticPodProof): boolean {
  return running.length === 0 && !started.some(({ uid }) => isExpected(uid));
}

function findPodProblem(
  state: PodState,
  { isExpected, containers, before }: StaticPodProof,
  exited: Stability,
): Exclude<HealthState, "healthy"> | undefined {
  if (state.running.some(({ uid }) => !isExpected(uid))) return { waiting: "the previous pod still runs" };
  const isMissing = containers.some((name) => !state.running.some(({ container }) => container === name));
  const exits = countExits(state, isExpected) - countExits(before, isExpected);
  const hasExited = isMissing && exits > 0;
  const staysDown = exited.isStable(`${hasExited} ${exits}`) && hasExited;
  if (exits >= MOST_EXITS || staysDown) return { failed: `its container keeps exiting (exits: ${exits})` };
  if (!isMissing) return undefined;
  return { waiting: hasExited ? "its container has exited" : "the kubelet has not started its container" };
}

const probe = z.object({
  httpGet: z.object({
    host: z.string().optional(),
    path: z.string().default("/"),
    port: z.union([z.number(), z.string()]),
    scheme: z.enum(["HTTP", "HTTPS"]).default("HTTP"),
  }),
});
const container = z.object({
  name: z.string(),
  ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]),
  readinessProbe: probe.optional().catch(undefined),
  livenessProbe: probe.optional().catch(undefined),
});
const podSchema = z.object({ spec: z.object({ containers: z.array(container).min(1) }) });

/** Returns a manifest's containers, and the endpoint of the first one's readiness or liveness probe. */
export function parsePodManifest(manifest: string): Pick<StaticPodProof, "containers" | "endpoint"> {
  const containers = podSchema.safeParse(parseYaml(manifest)).data?.spec.containers ?? [];
  const [first] = containers;
  const found = first?.readinessProbe ?? first?.livenessProbe;
  const endpoint = found && first && endpointOf(found, first.ports);
  return { containers: containers.map(({ name }) => name), endpoint };
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function endpointOf(
  { httpGet }: z.output<typeof probe>,
  ports: z.output<typeof container>["ports"],
): Endpoint | undefined {
  const { host, path, scheme } = httpGet;
  const port =
    typeof httpGet.port === "number" ? httpGet.port : ports.find(({ name }) => name === httpGet.port)?.containerPort;
  return port === undefined ? undefined : { scheme, port, path, host };
}
