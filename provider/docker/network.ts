import { createServer } from "node:net";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { addressIn } from "../../render/cidr";
import { commandError, runCommand, tryCommand } from "../../common/process";
import type { MachineSpec } from "./arguments";
import { LABELS, slug } from "./labels";
import { freeSubnets, hasOverlap, readHostSubnets } from "./subnets";

const inspectSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
  IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string(), Gateway: z.string().optional() })).nullish() }),
});

export interface Network {
  id: string;
  name: string;
  subnet: string;
  gateway: string;
  /** The stack that the network belongs to. Empty for networks that Kubewright did not create. */
  stack: string;
}

export interface NetworkSpec {
  stack: string;
  /** @default a free /24 */
  subnet?: string | undefined;
  /** CIDRs that the subnet must not overlap: the ranges of pods and services. */
  avoid?: readonly string[] | undefined;
}

export function networkName(stack: string): string {
  return `kubewright-${slug(stack)}`;
}

/** Returns the network, or undefined if there is none. @throws StepError when Docker does not answer */
export async function findNetwork(nameOrId: string, signal: AbortSignal): Promise<Network | undefined> {
  const options = { step: `inspect network ${nameOrId}`, signal };
  const outcome = await tryCommand("docker", ["network", "inspect", "--format", "{{json .}}", nameOrId], options);
  if (outcome.code === 0) return parseNetwork(outcome.stdout);
  if (/no such network|not found/i.test(outcome.stderr)) return undefined;
  throw commandError("docker", outcome, options);
}

/** Returns the network of a machine. @throws StepError when it does not exist */
export async function requireNetwork(
  { network: name, hostname: machine }: Pick<MachineSpec, "network" | "hostname">,
  signal: AbortSignal,
): Promise<Network> {
  const network = await findNetwork(name, signal);
  if (network) return network;
  const cause = `there is no Docker network ${name}`;
  throw new StepError({ step: "create the machine", machine, cause, action: "run `pulumi up --refresh`" });
}

/** Parses the output of `docker network inspect --format '{{json .}}'`. */
export function parseNetwork(json: string): Network {
  const { Id, Name, Labels, IPAM } = inspectSchema.parse(JSON.parse(json));
  const v4 = (IPAM.Config ?? []).find(({ Subnet }) => Subnet.includes("."));
  return {
    id: Id,
    name: Name,
    subnet: v4?.Subnet ?? "",
    gateway: v4?.Gateway ?? "",
    stack: Labels?.[LABELS.stack] ?? "",
  };
}

/**
 * Returns the stack's bridge network. A network left by an interrupted run is reused if it matches, else replaced.
 * @throws StepError
 */
export async function ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<Network> {
  const name = networkName(spec.stack);
  const existing = await findNetwork(name, signal);
  if (existing && existing.stack !== spec.stack) throw foreignNetworkError(name);
  if (existing && matchesSpec(existing, spec)) return existing;
  if (existing) await removeNetwork(existing.id, spec.stack, signal);
  const id = await createNetwork(name, spec, signal);
  const network = await findNetwork(id, signal);
  if (network) return network;
  throw new StepError({ step: `create network ${name}`, cause: "it was removed right after its creation" });
}

/** Returns whether a network satisfies the spec. */
export function matchesSpec(network: Network, { subnet, avoid = [] }: NetworkSpec): boolean {
  return subnet === undefined ? !avoid.some((other) => hasOverlap(network.subnet, other)) : network.subnet === subnet;
}

async function createNetwork(name: string, spec: NetworkSpec, signal: AbortSignal): Promise<string> {
  const step = `create network ${name}`;
  const taken = [...(spec.avoid ?? []), ...readHostSubnets(), ...(await readDockerSubnets(signal))];
  const candidates = spec.subnet ? [spec.subnet] : freeSubnets(spec.stack, taken).slice(0, 10);
  for (const [position, subnet] of candidates.entries()) {
    const addressing = ["--subnet", subnet, "--gateway", addressIn(subnet, 1)];
    const args = ["create", "--driver", "bridge", ...addressing, "--label", `${LABELS.stack}=${spec.stack}`, name];
    const options = { step, signal, action: "set another `subnet`" };
    const outcome = await tryCommand("docker", ["network", ...args], options);
    if (outcome.code === 0) return outcome.stdout;
    // Another run took the subnet, or the Docker host has a route that the controller does not see.
    const isTaken = /overlap/i.test(outcome.stderr) && position + 1 < candidates.length;
    if (!isTaken) throw commandError("docker", outcome, options);
  }
  throw new StepError({ step, cause: "no subnet is free", action: "set `subnet`" });
}

async function readDockerSubnets(signal: AbortSignal): Promise<string[]> {
  const step = "list Docker's networks";
  const ids = (await runCommand("docker", ["network", "ls", "--quiet"], { step, signal })).split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const format = "{{range .IPAM.Config}}{{println .Subnet}}{{end}}";
  // Exits with an error if a network was removed since it was listed, but still prints the others.
  const { stdout } = await tryCommand("docker", ["network", "inspect", "--format", format, ...ids], { step, signal });
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("/"));
}

/**
 * Removes the stack's network. Does nothing if it no longer exists or does not belong to the stack.
 * @throws StepError while machines use it
 */
export async function removeNetwork(id: string, stack: string, signal: AbortSignal): Promise<void> {
  const network = await findNetwork(id, signal);
  if (!network || network.stack !== stack) return;
  const action = `run \`docker network inspect ${network.name}\` to see which containers use it`;
  const options = { step: `remove network ${network.name}`, signal, action };
  const outcome = await tryCommand("docker", ["network", "rm", network.id], options);
  if (outcome.code !== 0 && (await findNetwork(id, signal))) throw commandError("docker", outcome, options);
}

function foreignNetworkError(name: string): StepError {
  return new StepError({
    step: "create the network",
    cause: `a network named ${name} exists, but does not belong to this stack`,
    action: `remove it (\`docker network rm ${name}\`) or choose another name for the stack`,
  });
}

/**
 * Returns whether the controller reaches the network's addresses directly. It does if the bridge is an interface of
 * this system, so that its address can be listened on. Docker Desktop, rootless and remote daemons have the bridge
 * elsewhere.
 */
export async function isReachable({ gateway }: Pick<Network, "gateway">): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: gateway, port: 0 }, () => server.close(() => resolve(true)));
  });
}
