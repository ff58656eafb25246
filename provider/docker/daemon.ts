import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { attempt, lastWords, run, type Outcome } from "./command";
import { hasCapability, isRoot, osRelease, systemdIsInit } from "./host";
import { withLock } from "../../common/user-lock";

const STEP = "reaching Docker";
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
  /** Differs between daemons; the same over restarts. */
  id: string;
  version: string;
  cpus: number;
  memoryMiB: number;
  /** As `uname -m` says it. */
  arch: string;
}

type Look = { daemon: Daemon } | { trouble: string };

/** The daemon that the `docker` CLI talks to (context and DOCKER_HOST are the person's), or undefined if none answers. */
export async function findDaemon(signal: AbortSignal): Promise<Daemon | undefined> {
  const found = await look(signal);
  return "daemon" in found ? found.daemon : undefined;
}

/**
 * The daemon; on Debian and Ubuntu, as root and with no DOCKER_HOST set, it is installed and started where there is none.
 * Safe against two runs at once. @throws StepError that says what to do by hand.
 */
export async function ensureDaemon(progress: Progress, signal: AbortSignal): Promise<Daemon> {
  const first = await look(signal);
  if ("daemon" in first) return first.daemon;
  refuseWhereWeCannotHelp(first.trouble);
  return await withLock(
    "docker-daemon",
    signal,
    () => progress("another run is starting Docker"),
    async () => {
      const again = await look(signal);
      if ("daemon" in again) return again.daemon;
      if (!dockerd()) await install(progress, signal);
      return await start(progress, signal);
    },
  );
}

async function look(signal: AbortSignal): Promise<Look> {
  const options = { step: STEP, signal, timeout: ANSWER_SECONDS };
  const outcome: Outcome = await attempt("docker", ["info", "--format", "{{json .}}"], options);
  if (outcome.code === 127) return { trouble: "the docker command is not installed" };
  const info = infoSchema.safeParse(parse(outcome.stdout));
  // An old client exits with 0 even if there is no server; then the server's own fields are empty.
  if (!info.success || info.data.ServerVersion === "")
    return { trouble: lastWords(outcome.stderr, 1) || "the daemon does not answer" };
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseWhereWeCannotHelp(trouble: string): void {
  const fail = (cause: string, action: string) => new StepError({ step: STEP, cause, action });
  if (process.env.DOCKER_HOST)
    throw fail(trouble, `start the daemon at DOCKER_HOST (${process.env.DOCKER_HOST}), or unset it`);
  if (process.platform !== "linux")
    throw fail(trouble, "install Docker Desktop or a compatible engine, start it, and run again");
  const { id, like } = osRelease();
  const debian = [id, ...like].some((name) => name === "debian" || name === "ubuntu");
  if (!debian) throw fail(trouble, "install Docker with this system's packages, start it, and run again");
  if (!isRoot())
    throw fail(
      trouble,
      "start Docker (`sudo apt-get install docker.io`) and add yourself to the group `docker`, or run as root",
    );
}

function dockerd(): string | undefined {
  return ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"].find((path) => existsSync(path));
}

async function install(progress: Progress, signal: AbortSignal): Promise<void> {
  progress("installing Docker (docker.io)");
  await aptInstall(["docker.io"], "installing Docker", signal);
}

/** Installs packages of the distribution, reading the package lists anew only where that is needed. */
export async function aptInstall(packages: readonly string[], step: string, signal: AbortSignal): Promise<void> {
  const action = "look at `apt-get update` and the package sources of this system";
  // Cut off half-way dpkg would be left in a state that a person has to repair: it is let finish, and then we stop.
  const options = { step, signal: new AbortController().signal, env: aptEnvironment(), action };
  const args = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", ...packages];
  const first = await attempt("apt-get", args, options);
  if (first.code !== 0) {
    await run("apt-get", ["update"], options);
    await run("apt-get", args, options);
  }
  signal.throwIfAborted();
}

/** RUNLEVEL=1: without systemd the packages' scripts would start the services themselves, with settings that may not fit. */
function aptEnvironment(): Record<string, string> {
  return { DEBIAN_FRONTEND: "noninteractive", ...(systemdIsInit() ? {} : { RUNLEVEL: "1" }) };
}

async function start(progress: Progress, signal: AbortSignal): Promise<Daemon> {
  progress("starting Docker");
  if (systemdIsInit())
    await run("systemctl", ["start", "docker"], { step: STEP, signal, action: "see `journalctl -u docker`" });
  else startByHand();
  let trouble = "";
  const answer = async () => {
    const found = await look(signal);
    if ("daemon" in found) return found.daemon;
    trouble = found.trouble;
    return undefined;
  };
  const onTimeout = () =>
    new StepError({
      step: "starting Docker",
      cause: `${trouble} | ${logTail()}`,
      action: `see ${LOG} or \`journalctl -u docker\``,
    });
  return await until(answer, { signal, timeout: START_SECONDS, onTimeout });
}

/** A daemon of its own session, that outlives us. It writes its own pid file. */
function startByHand(): void {
  if (isAlive(PID_FILES.dockerd, "dockerd")) return; // It is there, and only slow to answer.
  // dockerd and its containerd believe a pid file if any process has that pid; after a crash it is another one's by and by.
  for (const [program, file] of Object.entries(PID_FILES)) if (!isAlive(file, program)) rmSync(file, { force: true });
  const log = openSync(LOG, "a");
  const child = spawn(dockerd() ?? "dockerd", dockerdArguments(hasCapability("SYS_RESOURCE")), {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: daemonEnvironment(process.env),
  });
  child.on("error", () => undefined); // Then it does not answer, and that is reported.
  child.unref();
  closeSync(log);
}

function isAlive(pidFile: string, program: string): boolean {
  if (!existsSync(pidFile)) return false;
  const comm = `/proc/${readFileSync(pidFile, "utf8").trim()}/comm`;
  return existsSync(comm) && readFileSync(comm, "utf8").trim() === program;
}

/** Pure: of ours, what a daemon needs; it lives on, and what else is in our environment (passphrases, say) is not its business. */
export function daemonEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const proxies = Object.entries(own).filter(([name]) => /^(https?|no)_proxy$/i.test(name));
  return { ...Object.fromEntries(proxies), PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
}

/** dockerd asks for a negative OOM score by default, which only CAP_SYS_RESOURCE may have. */
export function dockerdArguments(sysResource: boolean): string[] {
  return sysResource ? [] : ["--oom-score-adjust", "0"];
}

function logTail(): string {
  return existsSync(LOG) ? lastWords(readFileSync(LOG, "utf8").slice(-4_000)) : "";
}
