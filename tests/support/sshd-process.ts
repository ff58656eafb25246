import { spawn, type ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, readFile, readdir, readlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { until } from "../../common/wait";

const START_SECONDS = 10;
const STOP_SECONDS = 10;

/** sshd and the processes of its connections, as the kernel sees them. */
export class SshdProcess {
  readonly logPath: string;
  private server: ChildProcess | undefined;

  constructor(
    private readonly program: string,
    private readonly folder: string,
    private readonly port: number,
  ) {
    this.logPath = join(folder, "sshd.log");
  }

  async start(): Promise<void> {
    // sshd needs the folder for privilege separation.
    if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    const log = openSync(this.logPath, "a");
    const server = spawn(this.program, ["-D", "-e", "-f", join(this.folder, "sshd_config")], {
      stdio: ["ignore", log, log],
    });
    this.server = server;
    const look = async () => {
      if (server.exitCode !== null)
        throw new Error(`sshd ended with code ${server.exitCode}:\n${await readFile(this.logPath, "utf8")}`);
      return (await greets(this.port)) ? true : undefined;
    };
    await until(look, {
      signal: new AbortController().signal,
      timeout: START_SECONDS,
      every: 20,
      onTimeout: () => new Error(`sshd did not answer on port ${this.port} within ${START_SECONDS} s`),
    });
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = undefined;
    if (server.exitCode === null && server.signalCode === null) {
      const ended = new Promise((done) => server.once("exit", done));
      await this.killAll(server, [...(await descendants(server.pid ?? 0)), ...(await inside(this.folder))]);
      await ended;
    }
  }

  private async killAll(server: ChildProcess, below: number[]): Promise<void> {
    server.kill("SIGKILL"); // first, so that it accepts no further connections
    below.forEach((pid) => signal(pid, "SIGKILL"));
    await gone(below);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async dropConnections(): Promise<void> {
    const below = await descendants(this.server?.pid ?? 0);
    below.forEach((pid) => signal(pid, "SIGKILL"));
    await gone(below);
  }

  async signalAll(name: NodeJS.Signals): Promise<void> {
    const pid = this.server?.pid ?? 0;
    [pid, ...(await descendants(pid))].forEach((one) => signal(one, name));
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended by itself
  }
}

async function gone(pids: number[]): Promise<void> {
  const alive = async () => ((await Promise.all(pids.map(running))).some(Boolean) ? undefined : true);
  await until(alive, {
    signal: new AbortController().signal,
    timeout: STOP_SECONDS,
    every: 10,
    onTimeout: () => new Error(`sshd's processes ${pids.join(", ")} did not end`),
  });
}

async function running(pid: number): Promise<boolean> {
  const fields = await stat(pid);
  return fields !== undefined && fields.state !== "Z";
}

const listProcesses = async () => (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);

/** Returns the processes on a root file system below a folder, whose parents may have ended. */
async function inside(folder: string): Promise<number[]> {
  const pids = await listProcesses();
  const roots = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/root`).catch(() => "")));
  return pids.filter((_, index) => roots[index]?.startsWith(`${folder}/`));
}

/** Returns all descendants of a process, deepest last. */
async function descendants(root: number): Promise<number[]> {
  const pids = await listProcesses();
  const parents = new Map<number, number>();
  await Promise.all(
    pids.map(async (pid) => {
      const fields = await stat(pid);
      if (fields) parents.set(pid, fields.parent);
    }),
  );
  const below = (parent: number): number[] =>
    pids.filter((pid) => parents.get(pid) === parent).flatMap((pid) => [pid, ...below(pid)]);
  return root > 0 ? below(root) : [];
}

async function stat(pid: number): Promise<{ state: string; parent: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const [state, parent] = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === undefined ? undefined : { state, parent: Number(parent) };
}

/** Returns whether the server sends `SSH-2.0-...`. An open port alone does not prove an sshd. */
async function greets(port: number): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (yes: boolean) => {
      socket.destroy();
      done(yes);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once("error", () => answer(false));
    socket.once("data", (data) => answer(data.toString("latin1").startsWith("SSH-")));
  });
}
