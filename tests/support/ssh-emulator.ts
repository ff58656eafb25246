import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, type Connection as Client, type ServerChannel } from "ssh2";
import type { ScriptResult } from "../../provider/ssh/batch-script";
import { run } from "../../common/process";

/**
 * Answers one command: writes what the machine would say, and ends the channel: `channel.exit(code)`, `channel.end()`.
 */
export type Answering = (channel: ServerChannel, script: string, host: number) => void;

export interface EmulatorOptions {
  /** How many; each has a port of its own on loopback. */
  hosts: number;
  answer: Answering;
  /** Whether the user's key is accepted; default yes. */
  admits?: (host: number) => boolean;
}

/** What a provider's `connection` input wants. */
interface Way {
  name: string;
  host: string;
  port: number;
  user: string;
  privateKeyPath: string;
  hostKey: string;
}

/** Hosts that speak real SSH from within this process; what they answer is the test's. */
export interface Emulator {
  readonly seen: Seen;
  connection(host: number): Way;
  stop(): Promise<void>;
}

export interface Seen {
  /** Connections by host. */
  connections: number[];
  commands: number[];
  /** Connections that were open in parallel: of all hosts together, and of any one. */
  mostOpen: number;
  mostOpenOfOne: number;
}

const WRAPPED = `exec /bin/sh -c "$0"' `;

/** What our wrapper says before the script begins. */
export const BEGAN = "process-group 4711\n";

/** The script that was handed over, out of our wrapper and its quotes. */
export function scriptOf(command: string): string {
  return unquoted(command.slice(command.indexOf(WRAPPED) + WRAPPED.length));
}

/** The looks that were handed over as one, and the mark that goes behind each answer. */
export function batchOf(script: string): { scripts: string[]; mark: string } | undefined {
  if (!script.startsWith("read_one() {")) return undefined;
  const words = [...script.matchAll(/^read_one ((?:'[^']*'|\\'|[^\s'\\])+)$/gm)];
  return {
    scripts: words.map(([, word = ""]) => unquoted(word)),
    mark: /printf '\\n%s\\n' (\S+) >&2/.exec(script)?.[1] ?? "",
  };
}

/** As a shell answers a batch. */
export function inOne(answers: readonly ScriptResult[], mark: string): ScriptResult {
  const all = (of: (answer: ScriptResult) => string) => answers.map(of).join("");
  return {
    code: 0,
    stdout: all(({ stdout, code }) => `${stdout}\n${mark} ${code}\n`),
    stderr: all(({ stderr }) => `${stderr}\n${mark}\n`),
  };
}

function unquoted(word: string): string {
  return word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word;
}

export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), "kubewright-emulator-"));
  for (const name of ["host", "user"])
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "emulator", "-f", join(folder, name)]);
  const hostKey = (await readFile(join(folder, "host.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  const hosts = await Promise.all(
    Array.from({ length: options.hosts }, (_, index) =>
      EmulatedHost.start(index, readFileSync(join(folder, "host")), options),
    ),
  );
  const tally = new Tally(hosts);
  hosts.forEach((host) => (host.changed = () => tally.look()));
  return {
    seen: tally,
    connection: (index) => ({
      name: `host-${index}`,
      host: "127.0.0.1",
      port: hosts[index]?.port ?? 0,
      user: "root",
      privateKeyPath: join(folder, "user"),
      hostKey,
    }),
    stop: async () => {
      await Promise.all(hosts.map((host) => host.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

class Tally implements Seen {
  mostOpen = 0;
  mostOpenOfOne = 0;

  constructor(private readonly hosts: readonly EmulatedHost[]) {}

  look(): void {
    const open = this.hosts.map((host) => host.clients.size);
    this.mostOpen = Math.max(
      this.mostOpen,
      open.reduce((sum, count) => sum + count, 0),
    );
    this.mostOpenOfOne = Math.max(this.mostOpenOfOne, ...open);
  }

  get connections(): number[] {
    return this.hosts.map((host) => host.connections);
  }

  get commands(): number[] {
    return this.hosts.map((host) => host.commands);
  }
}

class EmulatedHost {
  readonly clients = new Set<Client>();
  connections = 0;
  commands = 0;
  changed: () => void = () => undefined;
  private readonly server: Server;

  private constructor(
    private readonly index: number,
    hostKey: Buffer,
    private readonly options: EmulatorOptions,
  ) {
    this.server = new Server({ hostKeys: [hostKey] }, (client) => this.serve(client));
  }

  static async start(index: number, hostKey: Buffer, options: EmulatorOptions): Promise<EmulatedHost> {
    const host = new EmulatedHost(index, hostKey, options);
    await new Promise<void>((done) => host.server.listen(0, "127.0.0.1", done));
    return host;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private serve(client: Client): void {
    client.on("error", () => undefined);
    this.connections++;
    this.clients.add(client);
    this.changed();
    client.on("close", () => (this.clients.delete(client), this.changed()));
    client.on("authentication", (attempt) =>
      attempt.method === "publickey" && this.options.admits?.(this.index) !== false
        ? attempt.accept()
        : attempt.reject(["publickey"]),
    );
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        this.commands++;
        const channel = acceptExec();
        channel.on("error", () => undefined);
        this.options.answer(channel, scriptOf(command), this.index);
      });
    });
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.end();
    await new Promise<void>((done) => this.server.close(() => done()));
  }
}
