import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { commandError, runCommand, tryCommand } from "../../common/process";
import {
  containerName,
  createArguments,
  limitArguments,
  specHash,
  STOP_SECONDS,
  type ContainerEnvironment,
  type MachineSpec,
} from "./arguments";
import { hasSshBanner } from "./ssh-banner";
import { copyFiles, findContainer, readFailureLog, type Container } from "./container";
import type { Daemon } from "./daemon";
import { isReachable, requireNetwork } from "./network";
import type { DockerTraits } from "./probe";

const KEY_FILE = "/etc/kubewright-machine/authorized_keys";
const RESOLV_FILE = "/etc/kubewright-machine/resolv.conf";
/** Time limit for SSH. Machines answer within 2 s, and a few seconds later where ten start in parallel. */
const START_SECONDS = 60;
/** Restarts by Docker after which the start of a machine counts as failed. */
const RESTARTS = 3;

export interface Machine {
  containerId: string;
  /** Address for the controller: the machine's own, or 127.0.0.1. */
  address: string;
  /** SSH port at `address`. */
  port: number;
  /** Address in the machine's network. */
  privateAddress: string;
  /** `host:port` at which the controller reaches the machine's port 6443. */
  apiEndpoint: string;
  /** Public host key, read through the Docker daemon: `ssh-ed25519 AAAA...`. */
  hostKey: string;
}

/**
 * Returns the id of the machine's container, which may be stopped. A container left by an interrupted run is reused if
 * it has the same settings, else replaced.
 * @throws StepError, for example when a container of another stack has the name
 */
export async function ensureContainer(
  spec: MachineSpec,
  docker: DockerTraits,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const environment = await readEnvironment(spec, docker, signal);
  const existing = await findContainer(containerName(spec), signal);
  if (existing) assertOwnContainer(existing, spec);
  const isReusable = existing?.specHash === specHash(spec, environment);
  if (existing && !isReusable) {
    progress("removing the container of an interrupted run");
    await removeMachine(existing.id, spec.stack, signal);
  }
  const id = existing && isReusable ? existing.id : await createContainer(spec, environment, progress, signal);
  await copyMachineFiles(id, spec, environment, signal);
  return id;
}

async function readEnvironment(
  spec: MachineSpec,
  docker: DockerTraits,
  signal: AbortSignal,
): Promise<ContainerEnvironment> {
  const network = await requireNetwork(spec, signal);
  return { traits: await docker.read(spec.image, signal), publish: !(await isReachable(network)) };
}

function assertOwnContainer(container: Container, spec: MachineSpec): void {
  if (container.stack === spec.stack && container.machine === spec.hostname) return;
  throw new StepError({
    step: "create the machine",
    machine: spec.hostname,
    cause: `a container named ${container.name} exists, but does not belong to this stack`,
    action: `remove it (\`docker rm -fv ${container.name}\`) or choose another name for the machine`,
  });
}

async function createContainer(
  spec: MachineSpec,
  environment: ContainerEnvironment,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  progress("creating the container");
  const step = `create container ${containerName(spec)}`;
  return await runCommand("docker", createArguments(spec, environment), { step, signal });
}

async function copyMachineFiles(
  id: string,
  spec: MachineSpec,
  { traits: { resolvConf } }: ContainerEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const files = new Map([[RESOLV_FILE, resolvConf], ...keyFile(spec.authorizedKey)]);
  await copyFiles(id, files, `prepare ${spec.hostname}`, signal);
}

function keyFile(authorizedKey: string): Map<string, string> {
  return new Map([[KEY_FILE, `${authorizedKey.trim()}\n`]]);
}

/** Replaces the keys that may log in. */
export async function setAuthorizedKey(
  id: string,
  hostname: string,
  authorizedKey: string,
  signal: AbortSignal,
): Promise<void> {
  await copyFiles(id, keyFile(authorizedKey), `set the authorized key of ${hostname}`, signal);
}

/** Changes CPUs and memory of a machine, running or not. A limit that was removed becomes the host's own size. */
export async function resizeMachine(
  id: string,
  { cpus, memory }: Pick<MachineSpec, "cpus" | "memory">,
  daemon: Daemon,
  signal: AbortSignal,
): Promise<void> {
  const args = limitArguments({ cpus: cpus ?? daemon.cpus, memory: memory ?? daemon.memoryMiB });
  await runCommand("docker", ["update", ...args, id], { step: "change CPUs and memory", signal });
}

/**
 * Starts the machine if it is stopped, and waits until SSH answers.
 * @throws StepError with the end of the machine's log
 */
export async function startMachine(
  id: string,
  hostname: string,
  progress: Progress,
  signal: AbortSignal,
  patience = 1,
): Promise<Machine> {
  progress("starting");
  const before = (await findContainer(id, signal))?.restarts ?? 0;
  await runCommand("docker", ["start", id], { step: `start ${hostname}`, signal });
  progress("waiting for SSH");
  const container = await until(() => findAnswering(id, hostname, before + RESTARTS, signal), {
    signal,
    timeout: START_SECONDS,
    patience,
    every: 100,
    onTimeout: (seconds) => startError(hostname, `SSH did not answer within ${seconds} s`),
  }).catch(async (error: unknown) => {
    signal.throwIfAborted();
    throw await addLog(error, id, signal);
  });
  return await describeMachine(container, signal);
}

function startError(machine: string, cause: string): StepError {
  return new StepError({ step: "start the machine", machine, cause });
}

/**
 * Returns the container if SSH answers. Inspects it for each attempt, because its published ports change with each
 * restart.
 */
async function findAnswering(
  id: string,
  hostname: string,
  maxRestarts: number,
  signal: AbortSignal,
): Promise<Container | undefined> {
  const container = await findContainer(id, signal);
  if (!container) throw startError(hostname, "its container was removed during the start");
  const hasFailed = container.restarts >= maxRestarts || (!container.running && container.status !== "restarting");
  if (hasFailed) throw startError(hostname, `its container exited with code ${container.exitCode}`);
  const { address, port } = endpoint(container, 22);
  return (await hasSshBanner(address, port)) ? container : undefined;
}

async function addLog(error: unknown, id: string, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof StepError)) return error;
  const cause = `${error.failure.cause}; ${await readFailureLog(id, signal)}`;
  return new StepError({ ...error.failure, cause, action: `see \`docker logs ${id.slice(0, 12)}\`` });
}

/** Returns the connection data of a running machine. */
export async function describeMachine(container: Container, signal: AbortSignal): Promise<Machine> {
  const api = endpoint(container, 6443);
  return {
    containerId: container.id,
    ...endpoint(container, 22),
    privateAddress: container.address,
    apiEndpoint: `${api.address}:${api.port}`,
    hostKey: await readHostKey(container, signal),
  };
}

function endpoint({ address, ports }: Container, port: number): { address: string; port: number } {
  const published = ports.get(`${port}/tcp`);
  return published === undefined ? { address, port } : { address: "127.0.0.1", port: published };
}

/** Reads the host key through the Docker daemon, where no man in the middle can replace it. */
export async function readHostKey(
  { id, hostname }: Pick<Container, "id" | "hostname">,
  signal: AbortSignal,
): Promise<string> {
  const options = { step: `read the host key of ${hostname}`, signal };
  const line = await runCommand("docker", ["exec", id, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"], options);
  return line.split(" ").slice(0, 2).join(" ").trim();
}

/** Shuts the machine down. Its container and volumes are kept. */
export async function stopMachine(id: string, signal: AbortSignal): Promise<void> {
  await runCommand("docker", ["stop", "--time", String(STOP_SECONDS), id], { step: "stop the machine", signal });
}

/** Removes the machine and its volumes. Does nothing if it no longer exists or does not belong to the stack. */
export async function removeMachine(id: string, stack: string, signal: AbortSignal): Promise<void> {
  const container = await findContainer(id, signal);
  if (!container || container.stack !== stack) return;
  const options = { step: `remove ${container.name}`, signal };
  const outcome = await tryCommand("docker", ["rm", "--force", "--volumes", container.id], options);
  if (outcome.code !== 0 && (await findContainer(id, signal))) throw commandError("docker", outcome, options);
}
