import { createServer } from "node:net";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { addressIn } from "../../render/cidr";
import { attempt, failure, run } from "./command";
import { LABELS, slug } from "./labels";
import { freeSubnets, hostSubnets, overlap } from "./subnets";

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
  /** The stack it belongs to; empty where it is not ours. */
  stack: string;
}

export interface NetworkSpec {
  stack: string;
  /** Default: a free /24. */
  subnet?: string | undefined;
  /** CIDRs that the chosen subnet must keep clear of: pods' and services' ranges. */
  avoid?: readonly string[] | undefined;
}

export function networkName(stack: string): string {
  return `kubewright-${slug(stack)}`;
}

/** @returns undefined where there is none. */
export async function findNetwork(nameOrId: string, signal: AbortSignal): Promise<Network | undefined> {
  const options = { step: `looking at network ${nameOrId}`, signal };
  const outcome = await attempt("docker", ["network", "inspect", "--format", "{{json .}}", nameOrId], options);
  if (outcome.code === 0) return networkOf(outcome.stdout);
  if (/no such network|not found/i.test(outcome.stderr)) return undefined;
  throw failure("docker", outcome, options);
}

function networkOf(json: string): Network {
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

/** The stack's bridge network; one that an interrupted run left is taken if it fits. @throws StepError */
export async function ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<Network> {
  const name = networkName(spec.stack);
  const there = await findNetwork(name, signal);
  if (there && there.stack !== spec.stack) throw foreign(name);
  if (there && fits(there, spec)) return there;
  if (there) await removeNetwork(there.id, spec.stack, signal);
  const made = await create(name, spec, signal);
  const network = await findNetwork(made, signal);
  if (!network) throw new StepError({ step: `creating network ${name}`, cause: "it vanished right after it was made" });
  return network;
}

function fits(network: Network, { subnet, avoid = [] }: NetworkSpec): boolean {
  return subnet === undefined ? !avoid.some((other) => overlap(network.subnet, other)) : network.subnet === subnet;
}

async function create(name: string, spec: NetworkSpec, signal: AbortSignal): Promise<string> {
  const step = `creating network ${name}`;
  const taken = [...(spec.avoid ?? []), ...hostSubnets(), ...(await dockerSubnets(signal))];
  const candidates = spec.subnet ? [spec.subnet] : freeSubnets(spec.stack, taken).slice(0, 10);
  if (candidates.length === 0) throw new StepError({ step, cause: "no subnet is free", action: "set `subnet`" });
  for (const [position, subnet] of candidates.entries()) {
    const args = [
      "network",
      "create",
      "--driver",
      "bridge",
      "--subnet",
      subnet,
      "--gateway",
      addressIn(subnet, 1),
      "--label",
      `${LABELS.stack}=${spec.stack}`,
      name,
    ];
    const options = { step, signal, action: "set another `subnet`" };
    const outcome = await attempt("docker", args, options);
    if (outcome.code === 0) return outcome.stdout;
    // Somebody was quicker, or the daemon's host has a route that the controller does not know.
    const contested = /overlap/i.test(outcome.stderr) && position + 1 < candidates.length;
    if (!contested) throw failure("docker", outcome, options);
  }
  throw new StepError({ step, cause: "no subnet is free", action: "set `subnet`" });
}

async function dockerSubnets(signal: AbortSignal): Promise<string[]> {
  const step = "looking at Docker's networks";
  const ids = (await run("docker", ["network", "ls", "--quiet"], { step, signal })).split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const format = "{{range .IPAM.Config}}{{println .Subnet}}{{end}}";
  // One may be removed between the two commands: then the others are still told, with an exit code that does not matter.
  const { stdout } = await attempt("docker", ["network", "inspect", "--format", format, ...ids], { step, signal });
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("/"));
}

/** Removes the stack's own network; what is gone or not ours is left alone. @throws StepError while machines are on it. */
export async function removeNetwork(id: string, stack: string, signal: AbortSignal): Promise<void> {
  const there = await findNetwork(id, signal);
  if (!there || there.stack !== stack) return;
  const options = {
    step: `removing network ${there.name}`,
    signal,
    action: `see \`docker network inspect ${there.name}\` for what is on it`,
  };
  const outcome = await attempt("docker", ["network", "rm", there.id], options);
  if (outcome.code !== 0 && (await findNetwork(id, signal))) throw failure("docker", outcome, options);
}

function foreign(name: string): StepError {
  const cause = `there is already a network ${name}, and it is not this stack's`;
  return new StepError({
    step: "creating the network",
    cause,
    action: `remove it (\`docker network rm ${name}\`) or name the stack differently`,
  });
}

/**
 * Do the network's addresses answer to the controller directly? So it is where the bridge is an interface of this very system,
 * which shows in that we may listen on its address; Docker Desktop, rootless and remote daemons keep it elsewhere.
 */
export async function isReachable({ gateway }: Network): Promise<boolean> {
  return await new Promise((answer) => {
    const server = createServer();
    server.once("error", () => answer(false));
    server.listen({ host: gateway, port: 0 }, () => server.close(() => answer(true)));
  });
}
