import { afterAll, beforeAll, expect, test } from "vitest";
import { FUZZ_FACTOR } from "../../support/hostile";
import {
  describeCell,
  isSampled,
  listCells,
  runCell,
  type Cell,
  type CellResult,
} from "../../support/connection-matrix";
import { SCENARIOS, TestMachine } from "../../support/connection-scenarios";

/**
 * A proxy between the provider and a real sshd cuts, delays or stalls the connection after each message of the key
 * exchange, the authentication, a command and a forwarding. A sample runs by default, and every cell with
 * `KUBEWRIGHT_FUZZ=2`.
 */
const PARALLEL = 8;
const isWhole = FUZZ_FACTOR > 1;
const unhandled: unknown[] = [];
const recordUnhandled = (reason: unknown) => void unhandled.push(reason);
let machines: TestMachine[] = [];

beforeAll(async () => {
  machines = await Promise.all(Array.from({ length: PARALLEL }, (_, index) => TestMachine.start(`machine-${index}`)));
  process.on("unhandledRejection", recordUnhandled).on("uncaughtException", recordUnhandled);
}, 120_000);
afterAll(async () => {
  process.off("unhandledRejection", recordUnhandled).off("uncaughtException", recordUnhandled);
  await Promise.all(machines.map((machine) => machine.stop()));
});

test(
  "each call ends in time with the right result, whatever happens to its connection",
  { timeout: 1_200_000 },
  async () => {
    const start = Date.now();
    const lists = await Promise.all(SCENARIOS.map((scenario, index) => listCells(scenario, machineAt(index))));
    const results = await runAll(lists.flat().filter((cell) => isWhole || isSampled(cell)));
    const red = results.filter(({ problems }) => problems.length > 0);
    report(results, lists.flat().length, (Date.now() - start) / 1000);
    expect(red.map(({ cell, problems }) => `${describeCell(cell)}: ${problems.join("; ")}`)).toEqual([]);
    expect(unhandled).toEqual([]);
    const missed = results.filter(({ hasFault }) => !hasFault).length;
    expect(missed / results.length).toBeLessThan(0.05);
  },
);

const machineAt = (index: number) => machines[index] ?? expect.fail(`there is no machine ${index}`);

/** Runs one cell on each machine at a time. */
async function runAll(cells: readonly Cell[]): Promise<CellResult[]> {
  const queue = [...cells];
  const results: CellResult[] = [];
  const runQueue = async (machine: TestMachine) => {
    for (let cell = queue.shift(); cell; cell = queue.shift()) results.push(await runCell(cell, machine));
  };
  await Promise.all(machines.map(runQueue));
  return results;
}

function report(results: readonly CellResult[], all: number, seconds: number): void {
  const counts = new Map<string, number>();
  for (const { result } of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  const byResult = [...counts].map(([result, count]) => `${count} ${result}`).join(", ");
  const count = (matches: (result: CellResult) => boolean) => results.filter(matches).length;
  const longest = Math.max(...results.map(({ milliseconds }) => milliseconds)) / 1000;
  const facts = [
    `proxy matrix: ${results.length} of ${all} cells in ${seconds.toFixed(1)} s`,
    byResult,
    `${count(({ connections }) => connections > 1)} opened a new connection`,
    `${count(({ hasFault }) => !hasFault)} had no fault`,
    `longest call ${longest.toFixed(1)} s`,
    `${unhandled.length} unhandled errors`,
  ];
  process.stdout.write(`${facts.join("; ")}\n`);
}
