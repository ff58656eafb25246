import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hiddenFolder } from "../cli/engine/paths";
import { withSession, type Session } from "../cli/engine/session";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";
import { type Cell, isGreen } from "../tests/faults/cell";
import { FAULTS } from "../tests/faults/faults";
import { OPERATIONS } from "../tests/faults/operations";
import { allCells, orderCells, pendingCells, selectCells } from "../tests/faults/plan";
import { resultLine, summary } from "../tests/faults/report";
import { PAGE, readResults, saveResult, writePage } from "../tests/faults/results";
import { runCell } from "../tests/faults/run-cell";
import { TestCluster } from "../tests/faults/test-cluster";

const COMMAND = {
  name: "faults",
  summary: "Runs the fault cells without a green result of the present checks, and writes docs/faults.md.",
  defaultStack: "faults",
  options: [
    ["--operation <names>", "operations to run, separated by commas"],
    ["--phase <names>", "phases to run"],
    ["--fault <names>", "faults to run"],
    ["--fresh", "also run green cells"],
    ["--list", "only list the cells"],
    ["--page", "only write docs/faults.md"],
  ],
  examples: [
    ["--operation join,remove", "run two operations"],
    ["--fault sigkill --list", "list the cells of one fault"],
  ],
} as const satisfies CommandDefinition;

/** `npm run faults`: runs the cells without a green result of the present checks. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(COMMAND, args);
  if (options.flags.has("page")) {
    writePage(readResults());
    return 0;
  }
  const { operation, phase, fault } = options.values;
  const selected = selectCells(allCells(), {
    operations: operation?.split(","),
    phases: phase?.split(","),
    faults: fault?.split(","),
  });
  const cells = orderCells(options.flags.has("fresh") ? selected : pendingCells(selected, readResults()));
  if (options.flags.has("list")) {
    process.stdout.write(cells.map((cell) => `${nameOf(cell)}\n`).join(""));
    return 0;
  }
  return await withSession("faults", (session) => runCells(cells, options.stack, session));
}

async function runCells(cells: readonly Cell[], stack: string, { signal, screen, progress }: Session): Promise<number> {
  const folder = join(hiddenFolder(), "faults-output"); // outside the stack's folder, which is deleted with the stack
  mkdirSync(folder, { recursive: true });
  let log = "";
  const cluster = new TestCluster(stack, (_name, text) => appendFileSync(log, text));
  let green = true;
  try {
    for (const [index, cell] of cells.entries()) {
      if (signal.aborted) break;
      log = join(folder, `${nameOf(cell)}.log`);
      rmSync(log, { force: true });
      progress(`(${index + 1}/${cells.length}) ${nameOf(cell)}`);
      const result = await runCell(cell, cluster);
      green &&= isGreen(result);
      saveResult(result);
      screen.line(resultLine(result));
    }
  } finally {
    log = join(folder, "end.log");
    await cluster.remove();
    cluster.removeFiles();
  }
  screen.close();
  const counts = summary(readResults(), OPERATIONS, FAULTS);
  process.stdout.write(`\n${counts}\nThe tables are in ${PAGE}, the output of each cell is in ${folder}.\n`);
  return green ? 0 : 1;
}

function nameOf({ operation, phase, fault }: Cell): string {
  return `${operation.name}-${phase.name}-${fault.name}`;
}
