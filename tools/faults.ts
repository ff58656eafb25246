import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Cell, isGreen } from "../tests/faults/cell";
import { FAULTS } from "../tests/faults/faults";
import { Ground } from "../tests/faults/test-cluster";
import { OPERATIONS } from "../tests/faults/operations";
import { allCells, chosen, inOrder, unproved } from "../tests/faults/plan";
import { resultLine, summary } from "../tests/faults/report";
import { PAGE, keep, readResults, writePage } from "../tests/faults/results";
import { runCell } from "../tests/faults/run-cell";
import { withSession, type Session } from "../cli/engine/session";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";
import { hiddenFolder } from "../cli/engine/paths";

const COMMAND = {
  usage: "npm run faults",
  summary: "Runs the cells of the fault matrix that are not proved yet, on local machines, and writes docs/faults.md.",
  defaultStack: "faults",
  options: [
    ["--operation <names>", "operations to run, separated by commas"],
    ["--phase <names>", "phases to run"],
    ["--fault <names>", "faults to run"],
    ["--fresh", "run proved cells again"],
    ["--list", "only list the cells"],
    ["--page", "only write docs/faults.md"],
  ],
  examples: [
    ["--operation join,remove", "run two operations"],
    ["--fault sigkill --list", "list the cells of one fault"],
  ],
} as const satisfies CommandDefinition;

/**
 * `npm run faults`: the cells of the matrix that are not green yet, on local machines; the results go to docs/faults.md. `--operation join,remove`,
 * `--phase images` and `--fault sigkill` choose some; `--fresh` runs green ones again; `--list` only tells which it would be, `--page` only writes
 * docs/faults.md, after a change of the tables of operations and faults.
 */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(COMMAND, args);
  if (options.flags.has("page")) {
    writePage(readResults());
    return 0;
  }
  const { operation, phase, fault } = options.values;
  const wanted = chosen(allCells(), {
    ...names("operations", operation),
    ...names("phases", phase),
    ...names("faults", fault),
  });
  const cells = inOrder(options.flags.has("fresh") ? wanted : unproved(wanted, readResults()));
  if (options.flags.has("list")) {
    process.stdout.write(cells.map((cell) => `${nameOf(cell)}\n`).join(""));
    return 0;
  }
  return await withSession("faults", (session) => runAll(cells, options.stack, session));
}

function names(key: string, list: string | undefined): Record<string, string[]> {
  return list === undefined ? {} : { [key]: list.split(",") };
}

async function runAll(cells: readonly Cell[], stack: string, { signal, screen, progress }: Session): Promise<number> {
  let log = "";
  const folder = join(hiddenFolder(), "faults-said"); // not a stack's own, which goes with it
  mkdirSync(folder, { recursive: true });
  const ground = new Ground(stack, (_name, text) => appendFileSync(log, text));
  let green = true;
  try {
    for (const [index, cell] of cells.entries()) {
      if (signal.aborted) break;
      log = join(folder, `${nameOf(cell)}.log`);
      rmSync(log, { force: true });
      progress(`(${index + 1}/${cells.length}) ${nameOf(cell)}`);
      const result = await runCell(cell, ground);
      green &&= isGreen(result);
      keep(result);
      screen.line(resultLine(result));
    }
  } finally {
    log = join(folder, "end.log");
    await ground.remove();
    ground.forget();
  }
  screen.close();
  process.stdout.write(
    `\n${summary(readResults(), OPERATIONS, FAULTS)}\nThe tables are in ${PAGE}; what each cell said is in ${folder}.\n`,
  );
  return green ? 0 : 1;
}

function nameOf({ operation, phase, fault }: Cell): string {
  return `${operation.name}-${phase.name}-${fault.name}`;
}
