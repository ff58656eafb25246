import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_SETTINGS } from "../../provider/settings/settings";
import { Connections } from "../../provider/ssh/connections";
import { dial } from "../../provider/ssh/dial";
import { ConnectionError } from "../../provider/ssh/errors";
import { until } from "../../common/wait";
import { countRuns, type Result, type Scenario, type TestMachine } from "./connection-scenarios";
import { countSocketsTo, FAULTS, SshProxy, type FaultPlan } from "./ssh-proxy";
import { MessageNames, type Sender } from "./ssh-messages";

/** Shortens all deadlines: 1.5 s for a login, 4.5 s for a machine that boots, 2.5 s without an answer. */
const PATIENCE = 0.1;
const LONGEST_CALL_MS = 25_000;
const LONGEST_CLOSE_SECONDS = 5;
/** Seconds. */
const LATE_SECONDS = 1;
/** Makes another login of a connection. */
const OTHER_LOGIN = "another login";

/** With these messages the client ends the connection itself. */
const CLOSING = /^(?:DISCONNECT|plain)/;
const REPEATED_SAMPLE = /^KEXINIT|^USERAUTH_SUCCESS|exec/;

export interface Cell extends FaultPlan {
  scenario: Scenario;
  /** The message after which the fault occurs: `CHANNEL_OPEN (session)`. */
  message: string;
}

export interface CellResult {
  cell: Cell;
  result: Result | "other" | "hangs";
  /** Whether the message came. Output may come in fewer packets than when the cells were listed. */
  hasFault: boolean;
  /** Connections through the proxy. */
  connections: number;
  runs: number;
  /** Why the cell is red. */
  problems: string[];
  milliseconds: number;
}

export function describeCell({ scenario, sender, index, message, fault, repeated }: Cell): string {
  const where = `${message} (${index + 1}. of the ${sender})`;
  return `${scenario.name}: ${fault} after ${where}${repeated ? ", on each connection" : ""}`;
}

/** Runs one call while its connection has the fault, and checks its result and what it leaves. */
export async function runCell(cell: Cell, machine: TestMachine): Promise<CellResult> {
  const bench = await Bench.start(cell.scenario, machine, cell);
  try {
    return await bench.measure(cell);
  } finally {
    await bench.stop();
  }
}

/** One call of a scenario through a proxy of its own. */
class Bench {
  /** With one slot, a connection that is never released blocks all others. */
  readonly pool = new Connections(
    { ...DEFAULT_SETTINGS, patience: PATIENCE, connectionLimit: 1 },
    { dialer: dialUnlessOther },
  );
  private counter = "";

  private constructor(
    private readonly scenario: Scenario,
    private readonly machine: TestMachine,
    readonly proxy: SshProxy,
  ) {}

  static async start(scenario: Scenario, machine: TestMachine, plan?: FaultPlan): Promise<Bench> {
    const bench = new Bench(scenario, machine, await SshProxy.start(machine.sshd.port));
    bench.proxy.plan = plan;
    bench.counter = await machine.reset(scenario);
    return bench;
  }

  async stop(): Promise<void> {
    this.pool.closeAll();
    await this.proxy.stop();
  }

  async call(): Promise<Result | "hangs"> {
    const direct = this.machine.sshd.connection();
    const proxied = { ...direct, port: this.proxy.port };
    const connection = this.scenario.connect?.(direct, proxied) ?? proxied;
    const stop = new AbortController();
    const { pool, machine, counter } = this;
    const call = this.scenario.call({ pool, connection, machine, counter, signal: stop.signal });
    const hang = sleep(LONGEST_CALL_MS, "hangs" as const, { signal: stop.signal });
    hang.catch(() => undefined);
    try {
      return await Promise.race([call, hang]);
    } catch (error) {
      if (error instanceof ConnectionError && error.message.includes(machine.sshd.connection().name)) return error.kind;
      throw error;
    } finally {
      call.catch(() => undefined);
      stop.abort(new Error("the test is over"));
    }
  }

  async measure(cell: Cell): Promise<CellResult> {
    const start = Date.now();
    const problems: string[] = [];
    const result = await this.call().catch((error: Error) => {
      problems.push(`a wrong error: ${error.name}: ${error.message}`);
      return "other" as const;
    });
    const milliseconds = Date.now() - start;
    const runs = await countRuns(this.counter);
    const connections = this.proxy.links.length;
    const measured = { cell, result, connections, runs, milliseconds };
    const hasFault = await this.waitForFault();
    problems.push(...checkResult(measured), ...(await this.findLeaks()));
    return { ...measured, hasFault, problems };
  }

  /** The last messages of a channel may come after the end of the call. */
  private async waitForFault(): Promise<boolean> {
    return await until(() => Promise.resolve(this.proxy.faults > 0 || undefined), {
      signal: new AbortController().signal,
      timeout: LATE_SECONDS,
      every: 20,
      onTimeout: () => new Error("the message did not come"),
    }).catch(() => false);
  }

  private async findLeaks(): Promise<string[]> {
    const problems: string[] = [];
    const other = { ...this.machine.sshd.connection(), sudoPassword: OTHER_LOGIN };
    const options = { step: "using the only slot", signal: AbortSignal.timeout(LONGEST_CLOSE_SECONDS * 1000) };
    const isReleased = await this.pool.get(other).run("true", options).catch(isSlotFree);
    if (!isReleased) problems.push("the slot of the connection is not released");
    this.pool.closeAll();
    await until(async () => ((await countSocketsTo(this.proxy.port)) === 0 ? true : undefined), {
      signal: new AbortController().signal,
      timeout: LONGEST_CLOSE_SECONDS,
      every: 50,
      onTimeout: () => new Error("a connection is left open"),
    }).catch((error: Error) => problems.push(error.message));
    return problems;
  }
}

/** Refuses the other login without a connection: the attempt alone proves that it got the slot. */
const dialUnlessOther: typeof dial = (connection, ...rest) =>
  connection.sudoPassword === OTHER_LOGIN
    ? Promise.reject(new ConnectionError(connection, "the slot is free", "refused"))
    : dial(connection, ...rest);

const isSlotFree = (error: unknown) => error instanceof ConnectionError && error.kind === "refused";

type Measured = Omit<CellResult, "problems" | "hasFault">;

function checkResult({ cell, result, connections, runs }: Measured): string[] {
  const { scenario, fault, repeated } = cell;
  const right: readonly string[] = repeated ? [...scenario.results, "transient"] : scenario.results;
  const isSuccess = result === "done";
  return [
    !right.includes(result) && `the result is ${result}, not ${right.join(" or ")}`,
    result === "ended" && connections > 1 && "the stream of a connection without a fault ended early",
    fault === "delay" && connections !== 1 && `a delay caused ${connections} connections`,
    fault === "delay" && runs > 1 && `a delay caused ${runs} runs`,
    runs > connections && `${runs} runs over ${connections} connections`,
    scenario.isOnce && runs > 1 && `a command that must run once ran ${runs} times`,
    isSuccess && scenario.isOnce && runs !== 1 && `it succeeded after ${runs} runs`,
  ].filter((problem) => problem !== false && problem !== undefined);
}

/** Lists the cells of a scenario: each fault after each message that its connection has without a fault. */
export async function listCells(scenario: Scenario, machine: TestMachine): Promise<Cell[]> {
  const messages = await recordMessages(scenario, machine);
  return (["client", "server"] as const).flatMap((sender) => {
    const first = messages[sender].findIndex((message) => message.startsWith(scenario.from ?? ""));
    return messages[sender].flatMap((message, index) =>
      index < first || CLOSING.test(message) ? [] : faultsAfter({ scenario, sender, index, message }),
    );
  });
}

function faultsAfter(after: Pick<Cell, "scenario" | "sender" | "index" | "message">): Cell[] {
  const isRepeated = after.scenario.name === "command";
  return FAULTS.flatMap((fault) => [
    { ...after, fault, repeated: false },
    ...(isRepeated && fault !== "delay" ? [{ ...after, fault, repeated: true }] : []),
  ]);
}

/** Whether a cell is in the sample that runs in `npm test`. */
export function isSampled({ scenario, fault, repeated, message }: Cell): boolean {
  return repeated ? REPEATED_SAMPLE.test(message) : scenario.sample.includes(fault);
}

/** Runs a scenario without a fault. @returns the names of the messages of its proxied connection, by sender */
async function recordMessages(scenario: Scenario, machine: TestMachine): Promise<Record<Sender, string[]>> {
  const bench = await Bench.start(scenario, machine);
  const names = new MessageNames(bench.proxy.port);
  try {
    await bench.call();
    await sleep(100); // messages that close a channel may come after the call
    const [link] = bench.proxy.links;
    return names.apply(link?.passed ?? { client: [], server: [] });
  } finally {
    names.stop();
    await bench.stop();
  }
}
