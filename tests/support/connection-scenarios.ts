import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "../../common/quote";
import type { Connection } from "../../contracts/connection";
import { runKubeadm } from "../../provider/kubeadm/run";
import { Connections } from "../../provider/ssh/connections";
import type { ConnectionFailure } from "../../provider/ssh/errors";
import { newKeyPair } from "../../provider/ssh/key-pair";
import { testContext } from "./context";
import { inLayer } from "./layer";
import { FAULTS, type Fault } from "./ssh-proxy";
import { startSshd, type Sshd } from "./sshd";

/** What a call did: the kind of its ConnectionError, or `done`, or `ended` for a stream that ended early. */
export type Result = "done" | "ended" | ConnectionFailure;

export interface Call {
  pool: Connections;
  /** The machine, through the proxy. */
  connection: Connection;
  machine: TestMachine;
  /** A file in which each run of the command appends a line. */
  counter: string;
  signal: AbortSignal;
}

/** A use of a connection: what it does, and which results are right. */
export interface Scenario {
  name: string;
  /** Changes how the machine is reached. */
  connect?: (direct: Connection, proxied: Connection) => Connection;
  /** @returns `ended` if a stream ended early */
  call: (call: Call) => Promise<"done" | "ended">;
  /** The result if only the first connection has a fault. */
  results: readonly Result[];
  /** Faults begin at this message, if earlier ones are the same as in another scenario. */
  from?: "CHANNEL_OPEN";
  /** Faults of the sample that runs in `npm test`. */
  sample: readonly Fault[];
  /** Whether a second run of the command would do harm. */
  isOnce?: boolean;
}

/** A kubeadm that only counts its runs. */
const PREPARE = `mkdir -p root/etc/kubernetes
cat > root/usr/local/bin/kubeadm <<'END'
#!/bin/sh
echo "[init] begin"
echo run >> "$(cat @FOLDER@/counter)"
sleep 0.05
END
chmod +x root/usr/local/bin/kubeadm`;
/** Waits for a kubeadm that still runs, and removes its traces. */
const RESET = "flock /run/kubewright-kubeadm.lock rm -rf /var/lib/kubewright";

/** A machine with a root file system of its own, a real sshd, and a service to which connections are forwarded. */
export class TestMachine {
  private calls = 0;
  private readonly pool = new Connections();

  private constructor(
    readonly sshd: Sshd,
    private readonly echo: Server,
    readonly echoPort: number,
  ) {}

  static async start(name: string): Promise<TestMachine> {
    const sshd = await startSshd({
      name,
      // Connections that are stalled during authentication must not use up the limit.
      config: ["MaxStartups 1000"],
      within: (folder) => inLayer(folder, PREPARE.replace("@FOLDER@", folder)),
    });
    const echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined).pipe(socket);
    });
    await once(echo.listen(0, "127.0.0.1"), "listening");
    const address = echo.address();
    return new TestMachine(sshd, echo, typeof address === "object" && address ? address.port : 0);
  }

  /** Removes what the last call left. @returns a file in which each run of the next call's command appends a line */
  async reset({ isOnce }: Scenario): Promise<string> {
    const signal = AbortSignal.timeout(10_000);
    if (isOnce) await this.pool.get(this.sshd.connection()).run(RESET, { step: "resetting the machine", signal });
    const counter = join(this.sshd.folder, `runs-${this.calls++}`);
    await writeFile(join(this.sshd.folder, "counter"), counter);
    return counter;
  }

  async stop(): Promise<void> {
    this.pool.closeAll();
    this.echo.close();
    await this.sshd.stop();
  }
}

/** Returns how often the command of a call ran. */
export async function countRuns(counter: string): Promise<number> {
  return (await readFile(counter, "utf8").catch(() => "")).split("\n").length - 1;
}

const script = (counter: string) => `echo run >> ${quote(counter)}; read -r line; echo "$line"`;

async function runScript({ pool, connection, counter, signal }: Call): Promise<"done"> {
  const options = { step: "a test", signal, stdin: "input\n", timeout: 60 };
  const { stdout } = await pool.get(connection).run(script(counter), options);
  if (stdout !== "input\n") throw new Error(`wrong output: ${stdout}`);
  return "done";
}

/** Sends a line through the machine to a service that returns it, and waits until both sides have closed. */
async function forward({ pool, connection, machine, signal }: Call): Promise<"done" | "ended"> {
  const stream = await pool.get(connection).forward("127.0.0.1", machine.echoPort, signal);
  let received = "";
  stream.on("data", (data: Buffer) => (received += data.toString())).on("error", () => undefined);
  stream.end("a line\n");
  await once(stream, "close");
  return received === "a line\n" ? "done" : "ended";
}

async function kubeadm({ pool, connection, signal }: Call): Promise<"done"> {
  const context = testContext({ signal });
  const run = { verb: "init", flags: [], config: "kind: A\n", timeout: 60, action: "run it again" } as const;
  await runKubeadm(context, pool.get(connection), run);
  return "done";
}

const otherKey = newKeyPair();

export const SCENARIOS: readonly Scenario[] = [
  { name: "command", call: runScript, results: ["done"], sample: FAULTS },
  { name: "forwarding", call: forward, results: ["done", "ended"], sample: FAULTS, from: "CHANNEL_OPEN" },
  { name: "kubeadm", call: kubeadm, results: ["done"], sample: ["stall"], from: "CHANNEL_OPEN", isOnce: true },
  {
    name: "jump host",
    connect: (direct, { name: _, ...proxied }) => ({ ...direct, jump: proxied }),
    call: runScript,
    results: ["done"],
    sample: ["stall"],
  },
  {
    name: "refused key",
    connect: (_, { privateKeyPath: __, ...proxied }) => ({ ...proxied, privateKey: otherKey.private }),
    call: runScript,
    results: ["refused"],
    sample: ["close"],
  },
  {
    name: "other host key",
    connect: (_, proxied) => ({ ...proxied, hostKey: otherKey.public }),
    call: runScript,
    results: ["identity"],
    sample: ["close"],
  },
];
