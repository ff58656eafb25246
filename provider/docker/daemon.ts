import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { parseJson } from "../../common/json";
import { optional } from "../../common/optional";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { userLock, withLock } from "../../common/lock";
import { lastLines, runCommand, tryCommand } from "../../common/process";
import type { DockerEnvironment } from "../settings/settings";
import { hasCapability, isRoot, isSystemdInit, readOsRelease } from "./host";

const STEP = "connect to Docker";
const LOG = "/var/log/kubewright-dockerd.log";
const PID_FILES = { dockerd: "/var/run/docker.pid", containerd: "/var/run/docker/containerd/containerd.pid" };
const ANSWER_SECONDS = 20;
const START_SECONDS = 60;

const infoSchema = z.object({
  ID: z.string(),
  ServerVersion: z.string(),
  NCPU: z.number(),
  /** Bytes. */
  MemTotal: z.number(),
  CgroupVersion: z.string().optional(),
  Architecture: z.string(),
});

export interface Daemon {
  /** Identifies a daemon across restarts. */
  id: string;
  version: string;
  cpus: number;
  memoryMiB: number;
  /** In the form of `uname -m`. */
  arch: string;
}

type DaemonStatus = { daemon: Daemon } | { problem: string };

/** Returns the daemon of the `docker` CLI (the user's context or DOCKER_HOST), or undefined if it does not answer. */
export async function findDaemon(signal: AbortSignal): Promise<Daemon | undefined> {
  const status = await inspectDaemon(signal);
  return "daemon" in status ? status.daemon : undefined;
}

/**
 * Returns the daemon. If it does not answer, installs and starts Docker: only on Debian and Ubuntu, as root and without
 * DOCKER_HOST.
 * @throws StepError with the user's next action
 */
export async function ensureDaemon(
  environment: DockerEnvironment,
  progress: Progress,
  signal: AbortSignal,
): Promise<Daemon> {
  const status = await inspectDaemon(signal);
  if ("daemon" in status) return status.daemon;
  assertCanInstall(status.problem, environment);
  return await withLock(userLock("docker-daemon"), { task: "start Docker", progress, signal }, async () => {
    const current = await inspectDaemon(signal);
    if ("daemon" in current) return current.daemon;
    if (!findDockerd()) await installDocker(progress, signal);
    return await startDaemon(environment, progress, signal);
  });
}

async function inspectDaemon(signal: AbortSignal): Promise<DaemonStatus> {
  const options = { step: STEP, signal, timeout: ANSWER_SECONDS };
  const outcome = await tryCommand("docker", ["info", "--format", "{{json .}}"], options);
  if (outcome.code === 127) return { problem: "the docker command is not installed" };
  const info = infoSchema.safeParse(parseJson(outcome.stdout));
  // Old clients exit with 0 even without a server. The server's fields are then empty.
  if (!info.success || info.data.ServerVersion === "")
    return { problem: lastLines(outcome.stderr, 1) || "the daemon does not answer" };
  const { ID, ServerVersion, NCPU, MemTotal, Architecture } = info.data;
  return {
    daemon: {
      id: ID,
      version: ServerVersion,
      cpus: NCPU,
      memoryMiB: Math.floor(MemTotal / 2 ** 20),
      arch: Architecture,
    },
  };
}

/** @throws StepError unless this is Debian or Ubuntu, and Kubewright runs as root and without DOCKER_HOST */
function assertCanInstall(problem: string, { host }: DockerEnvironment): void {
  const fail = (action: string) => new StepError({ step: STEP, cause: problem, action });
  if (host) throw fail(`start the daemon at DOCKER_HOST (${host}), or unset it`);
  if (process.platform !== "linux")
    throw fail("install and start Docker Desktop or a compatible engine, then try again");
  const { id, like } = readOsRelease();
  const debian = [id, ...like].some((name) => name === "debian" || name === "ubuntu");
  if (!debian) throw fail("install Docker with this system's package manager, start it, then try again");
  if (!isRoot())
    throw fail(
      "install Docker (`sudo apt-get install docker.io`) and add yourself to the group `docker`, or run as root",
    );
}

function findDockerd(): string | undefined {
  return ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"].find((path) => existsSync(path));
}

async function installDocker(progress: Progress, signal: AbortSignal): Promise<void> {
  progress("installing Docker (docker.io)");
  await aptInstall(["docker.io"], "install Docker", signal);
}

/** Installs packages of the distribution. Updates the package lists only if the first attempt fails. */
export async function aptInstall(packages: readonly string[], step: string, signal: AbortSignal): Promise<void> {
  const action = "run `apt-get update` and check the package sources of this system";
  // An interrupted dpkg needs manual repair, so it may finish, and the abort takes effect afterwards.
  const options = { step, signal: new AbortController().signal, env: aptEnvironment(), action };
  const args = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", ...packages];
  const first = await tryCommand("apt-get", args, options);
  if (first.code !== 0) {
    await runCommand("apt-get", ["update"], options);
    await runCommand("apt-get", args, options);
  }
  signal.throwIfAborted();
}

/**
 * RUNLEVEL=1 keeps the packages' scripts from starting services where there is no systemd: their settings may not fit.
 */
function aptEnvironment(): Record<string, string> {
  return { DEBIAN_FRONTEND: "noninteractive", ...optional({ RUNLEVEL: isSystemdInit() ? undefined : "1" }) };
}

async function startDaemon({ proxies }: DockerEnvironment, progress: Progress, signal: AbortSignal): Promise<Daemon> {
  progress("starting Docker");
  if (isSystemdInit())
    await runCommand("systemctl", ["start", "docker"], { step: STEP, signal, action: "see `journalctl -u docker`" });
  else spawnDaemon(proxies);
  let problem = "";
  const read = async () => {
    const status = await inspectDaemon(signal);
    if ("daemon" in status) return status.daemon;
    problem = status.problem;
    return undefined;
  };
  const onTimeout = () =>
    new StepError({
      step: "start Docker",
      cause: `${problem} | ${readLogTail()}`,
      action: `see ${LOG} or \`journalctl -u docker\``,
    });
  return await until(read, { signal, timeout: START_SECONDS, onTimeout });
}

/** Starts dockerd in its own session, so that it outlives this process. It writes its own pid file. */
function spawnDaemon(proxies: DockerEnvironment["proxies"]): void {
  // A daemon that runs already only needs more time to answer.
  if (isRunning(PID_FILES.dockerd, "dockerd")) return;
  // dockerd and its containerd refuse to start while any process has the pid of their pid file, also after a crash.
  for (const [program, file] of Object.entries(PID_FILES)) if (!isRunning(file, program)) rmSync(file, { force: true });
  const log = openSync(LOG, "a");
  const child = spawn(findDockerd() ?? "dockerd", dockerdArguments(hasCapability("SYS_RESOURCE")), {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    // The daemon outlives this run and must not inherit its passphrases.
    env: { ...proxies, PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  // The caller reports a daemon that does not answer.
  child.on("error", () => undefined);
  child.unref();
  closeSync(log);
}

function isRunning(pidFile: string, program: string): boolean {
  if (!existsSync(pidFile)) return false;
  const comm = `/proc/${readFileSync(pidFile, "utf8").trim()}/comm`;
  return existsSync(comm) && readFileSync(comm, "utf8").trim() === program;
}

/** Selects the settings for Docker from the environment: DOCKER_HOST and the proxies. */
export function dockerEnvironment(environment: NodeJS.ProcessEnv): DockerEnvironment {
  const proxies = Object.entries(environment).flatMap(([name, value]) =>
    /^(https?|no)_proxy$/i.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  return { host: environment.DOCKER_HOST, proxies: Object.fromEntries(proxies) };
}

/** Without CAP_SYS_RESOURCE, dockerd must not lower its OOM score, as it does by default. */
export function dockerdArguments(sysResource: boolean): string[] {
  return sysResource ? [] : ["--oom-score-adjust", "0"];
}

function readLogTail(): string {
  return existsSync(LOG) ? lastLines(readFileSync(LOG, "utf8").slice(-4_000)) : "";
}
