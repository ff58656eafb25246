import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { run } from "../../common/process";
import { requirement, type Requirement } from "./requirement";
import { SshdProcess } from "./sshd-process";

const SSHD = "/usr/sbin/sshd";

/** A real sshd on loopback, with a folder, a host key and a user key of its own. */
export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyPath: string;
  /** `ssh-ed25519 AAAA...`, to pin. It changes with `changeHostKey`. */
  readonly hostKey: string;
  /** Everything of this server, and files of the test. `stop` deletes it. */
  readonly folder: string;
  /** The `connection` input for the provider. */
  connection(): { name: string; host: string; port: number; user: string; privateKeyPath: string; hostKey: string };
  /** How many clients have logged in since the start. `restart` does not reset it. */
  logins(): Promise<number>;
  log(): Promise<string>;
  /** Breaks every open connection. The server continues to listen. */
  dropConnections(): Promise<void>;
  /** Silences the network: nothing answers and nothing is refused. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** From now on, another machine seems to be at the address. */
  changeHostKey(): Promise<void>;
  /** From now on, refuses the user's key (with `true`, accepts it again). */
  acceptKey(accepted: boolean): Promise<void>;
  /** Breaks all connections and refuses new ones until `listen`. */
  down(): Promise<void>;
  listen(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Additional lines for sshd_config: `MaxSessions 2`. */
  config?: string[];
  /** Environment of every command that a client runs, such as a `PATH` with fake programs in front. */
  environment?: Record<string, string>;
  /** Name of the machine in messages. @default "sshd" */
  name?: string;
  /** Writes a program to the server's folder that starts sshd in its own surroundings. @returns its path */
  within?: (folder: string) => Promise<string>;
}

/**
 * Installs sshd if necessary, and reports why it is missing. Use: `describe.skipIf(!sshd.met)(...)` or `needs(...)`.
 */
export async function sshdAvailable(): Promise<Requirement> {
  return await requirement("openssh-server", () => existsSync(SSHD), ["openssh-server"]);
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const available = await sshdAvailable();
  if (!available.met) throw new Error(available.reason);
  const folder = await mkdtemp(join(tmpdir(), "kubewright-sshd-"));
  await Promise.all([makeKey(folder, "host"), makeKey(folder, "user")]);
  await acceptKey(folder, true);
  const port = await freePort();
  await writeFile(join(folder, "sshd_config"), configuration(folder, port, options));
  const process = new SshdProcess((await options.within?.(folder)) ?? SSHD, folder, port);
  await process.start();
  return await control(folder, port, process, options.name ?? "sshd");
}

async function control(folder: string, port: number, process: SshdProcess, name: string): Promise<Sshd> {
  const at = { host: "127.0.0.1", port, user: userInfo().username, privateKeyPath: join(folder, "user") };
  let hostKey = await publicKey(folder, "host");
  const log = () => readFile(process.logPath, "utf8");
  return {
    ...at,
    folder,
    log,
    get hostKey() {
      return hostKey;
    },
    connection: () => ({ name, ...at, hostKey }),
    logins: async () => (await log()).split("Accepted publickey").length - 1,
    dropConnections: () => process.dropConnections(),
    freeze: () => process.signalAll("SIGSTOP"),
    thaw: () => process.signalAll("SIGCONT"),
    changeHostKey: async () => {
      await makeKey(folder, "host");
      hostKey = await publicKey(folder, "host");
      await process.restart();
    },
    acceptKey: (accepted) => acceptKey(folder, accepted),
    down: () => process.stop(),
    listen: () => process.start(),
    restart: () => process.restart(),
    stop: async () => {
      await process.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, port: number, options: SshdOptions): string {
  // Otherwise the start-up files of this computer's user run for every command, and may wait for each other.
  const variables = { HOME: join(folder, "home"), ...options.environment };
  const environment = Object.entries(variables).map(([name, value]) => `"${name}=${value}"`);
  return [
    ...(options.config ?? []), // sshd uses the first value of an option
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/sshd.pid`,
    "AuthenticationMethods publickey",
    "PermitRootLogin prohibit-password",
    "StrictModes no", // the folder is below /tmp
    "UsePAM no",
    "UseDNS no",
    "PrintMotd no",
    "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp",
    `SetEnv ${environment.join(" ")}`,
    "",
  ].join("\n");
}

async function makeKey(folder: string, name: string): Promise<void> {
  await Promise.all([name, `${name}.pub`].map((file) => rm(join(folder, file), { force: true })));
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `kubewright-test-${name}`, "-f", join(folder, name)]);
}

async function publicKey(folder: string, name: string): Promise<string> {
  return (await readFile(join(folder, `${name}.pub`), "utf8")).split(" ").slice(0, 2).join(" ");
}

async function acceptKey(folder: string, accepted: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "authorized_keys"), accepted ? await readFile(join(folder, "user.pub"), "utf8") : "");
}

/** Returns a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return await new Promise((done, fail) => {
    const server = createServer().once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
