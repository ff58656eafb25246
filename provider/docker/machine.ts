import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import {
  containerName,
  createArguments,
  limits,
  madeHash,
  STOP_SECONDS,
  type MachineSpec,
  type Surroundings,
} from "./arguments";
import { sshAnswers } from "./banner";
import { attempt, failure, run } from "./command";
import { findContainer, lastLog, putFiles, type Container } from "./container";
import type { Daemon } from "./daemon";
import { findNetwork, isReachable } from "./network";
import type { DockerTraits } from "./probe";

const KEY_FILE = "/etc/kubewright-machine/authorized_keys";
const RESOLV_FILE = "/etc/kubewright-machine/resolv.conf";
/** Seconds until SSH must answer. It does within two; a host that starts ten at once may need a few more. */
const START_SECONDS = 60;
/** A container that Docker had to start again so often does not come up. */
const RESTARTS = 3;

export interface Machine {
  containerId: string;
  /** Where the controller reaches it: its own address, or 127.0.0.1. */
  address: string;
  /** SSH, at `address`. */
  port: number;
  /** Its address among the machines of its network. */
  privateAddress: string;
  /** `host:port` at which the controller reaches the machine's port 6443. */
  apiEndpoint: string;
  /** The public host key, read through the Docker daemon: `ssh-ed25519 AAAA...`. */
  hostKey: string;
}

/**
 * The machine's container, not necessarily running. One of our own that an interrupted run left is taken if it was made of the
 * same, else made anew. @returns its id. @throws StepError, also where somebody else's container has the name.
 */
export async function ensureContainer(
  spec: MachineSpec,
  docker: DockerTraits,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const surroundings = await surroundingsOf(spec, docker, signal);
  const left = await findContainer(containerName(spec), signal);
  if (left) refuseForeign(left, spec);
  const whole = left?.made === madeHash(spec, surroundings);
  if (left && !whole) {
    progress("removing what an interrupted run left");
    await removeMachine(left.id, spec.stack, signal);
  }
  const id = left && whole ? left.id : await create(spec, surroundings, progress, signal);
  await setFiles(id, spec, surroundings, signal);
  return id;
}

async function surroundingsOf(spec: MachineSpec, docker: DockerTraits, signal: AbortSignal): Promise<Surroundings> {
  const network = await findNetwork(spec.network, signal);
  if (!network)
    throw new StepError({
      step: "creating",
      machine: spec.hostname,
      cause: `there is no network ${spec.network}`,
      action: "run `pulumi up --refresh`",
    });
  return { traits: await docker.traits(spec.image, signal), publish: !(await isReachable(network)) };
}

function refuseForeign(container: Container, spec: MachineSpec): void {
  if (container.stack === spec.stack && container.machine === spec.hostname) return;
  throw new StepError({
    step: "creating",
    machine: spec.hostname,
    cause: `there is already a container ${container.name}, and it is not this stack's`,
    action: `remove it (\`docker rm -fv ${container.name}\`) or name the machine differently`,
  });
}

async function create(
  spec: MachineSpec,
  surroundings: Surroundings,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  progress("creating the container");
  const step = `creating container ${containerName(spec)}`;
  return await run("docker", createArguments(spec, surroundings), { step, signal });
}

async function setFiles(
  id: string,
  spec: MachineSpec,
  { traits: { resolvConf } }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const files = new Map([[RESOLV_FILE, resolvConf], ...keyFile(spec.authorizedKey)]);
  await putFiles(id, files, `preparing ${spec.hostname}`, signal);
}

function keyFile(authorizedKey: string): Map<string, string> {
  return new Map([[KEY_FILE, `${authorizedKey.trim()}\n`]]);
}

/** Lets other keys in, and the old ones no more. */
export async function authorize(
  id: string,
  hostname: string,
  authorizedKey: string,
  signal: AbortSignal,
): Promise<void> {
  await putFiles(id, keyFile(authorizedKey), `setting the authorized key of ${hostname}`, signal);
}

/** Changes cpus and memory of a machine that runs or not; a limit that is no longer wished becomes the host's own size. */
export async function resize(
  id: string,
  { cpus, memory }: Pick<MachineSpec, "cpus" | "memory">,
  daemon: Daemon,
  signal: AbortSignal,
): Promise<void> {
  const words = limits({ cpus: cpus ?? daemon.cpus, memory: memory ?? daemon.memoryMiB });
  await run("docker", ["update", ...words, id], { step: "changing cpus and memory", signal });
}

/** Starts the machine if it does not run, and waits until SSH answers. @throws StepError with the end of the machine's log */
export async function startMachine(
  id: string,
  hostname: string,
  progress: Progress,
  signal: AbortSignal,
  patience = 1,
): Promise<Machine> {
  progress("starting");
  const before = (await findContainer(id, signal))?.restarts ?? 0;
  await run("docker", ["start", id], { step: `starting ${hostname}`, signal });
  progress("waiting for SSH");
  const container = await until(() => answering(id, hostname, before + RESTARTS, signal), {
    signal,
    timeout: START_SECONDS,
    patience,
    every: 100,
    onTimeout: (seconds) =>
      new StepError({ step: "starting", machine: hostname, cause: `SSH did not answer within ${seconds} s` }),
  }).catch(async (error: unknown) => {
    signal.throwIfAborted();
    throw await withLog(error, id, signal);
  });
  return await describe(container, signal);
}

/** The container, once SSH answers. Its published ports are looked up each time: they are others after each start. */
async function answering(
  id: string,
  hostname: string,
  mostRestarts: number,
  signal: AbortSignal,
): Promise<Container | undefined> {
  const container = await findContainer(id, signal);
  if (!container)
    throw new StepError({ step: "starting", machine: hostname, cause: "its container was removed meanwhile" });
  const hopeless = container.restarts >= mostRestarts;
  if (hopeless || (!container.running && container.status !== "restarting")) {
    throw new StepError({
      step: "starting",
      machine: hostname,
      cause: `its container ended with code ${container.exitCode}`,
    });
  }
  const { address, port } = endpoint(container, 22);
  return (await sshAnswers(address, port)) ? container : undefined;
}

async function withLog(error: unknown, id: string, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof StepError)) return error;
  const cause = `${error.failure.cause}; ${await lastLog(id, signal)}`;
  return new StepError({ ...error.failure, cause, action: `see \`docker logs ${id.slice(0, 12)}\`` });
}

/** What is to be known of a running machine. */
export async function describe(container: Container, signal: AbortSignal): Promise<Machine> {
  const api = endpoint(container, 6443);
  return {
    containerId: container.id,
    ...endpoint(container, 22),
    privateAddress: container.address,
    apiEndpoint: `${api.address}:${api.port}`,
    hostKey: await hostKey(container, signal),
  };
}

function endpoint({ address, ports }: Container, port: number): { address: string; port: number } {
  const published = ports.get(`${port}/tcp`);
  return published === undefined ? { address, port } : { address: "127.0.0.1", port: published };
}

/** Read through the daemon, so that nobody can be in between. */
export async function hostKey(
  { id, hostname }: Pick<Container, "id" | "hostname">,
  signal: AbortSignal,
): Promise<string> {
  const options = { step: `reading the host key of ${hostname}`, signal };
  const line = await run("docker", ["exec", id, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"], options);
  return line.split(" ").slice(0, 2).join(" ").trim();
}

/** Shuts the machine down in order, and leaves it there. */
export async function stopMachine(id: string, signal: AbortSignal): Promise<void> {
  await run("docker", ["stop", "--time", String(STOP_SECONDS), id], { step: "stopping the machine", signal });
}

/** Removes the machine and its volumes. What is gone already, or is not the stack's, is left alone. */
export async function removeMachine(id: string, stack: string, signal: AbortSignal): Promise<void> {
  const container = await findContainer(id, signal);
  if (!container || container.stack !== stack) return;
  const options = { step: `removing ${container.name}`, signal };
  const outcome = await attempt("docker", ["rm", "--force", "--volumes", container.id], options);
  if (outcome.code !== 0 && (await findContainer(id, signal))) throw failure("docker", outcome, options);
}
