import { type ScaleResult, RESOURCES_PER_MACHINE, scaleRound } from "../tests/bench/scale/round";
import { withSession } from "../cli/engine/session";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";
import { table } from "../cli/terminal/text";
import { prepareEngine } from "../cli/engine/workspace";

const SIZES = [10, 100, 1000];

const COMMAND = {
  name: "bench scale",
  summary: "Measures the engine and the provider on emulated SSH hosts, by number of machines.",
  arguments: [["[machines...]", "numbers of machines (default: 10 100 1000)"]],
  options: [["--checkpoints", "let the engine write its state at every step"]],
  examples: [["10 200", "measure 10 and 200 machines"]],
} as const satisfies CommandDefinition;

/** `npm run bench:scale`: runs the engine and the provider against emulated SSH hosts. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(COMMAND, args);
  const sizes = options.words.length > 0 ? options.words.map(Number) : SIZES;
  return await withSession("bench", async ({ screen, progress, signal }) => {
    const env = await prepareEngine(progress, signal);
    // The engine writes its whole state at each step, so that with thousands of resources it does little else.
    if (!options.flags.has("checkpoints")) env.PULUMI_SKIP_CHECKPOINTS = "true";
    const results: ScaleResult[] = [];
    for (const size of sizes) results.push(await scaleRound(size, env, progress));
    screen.close();
    process.stdout.write(`\n${render(results)}\n`);
    return results.every(
      ({ left, made, possible, mostOpenOfOne }) => left === 0 && made >= possible && mostOpenOfOne <= 1,
    )
      ? 0
      : 1;
  });
}

function render(results: readonly ScaleResult[]): string {
  const row = (what: string, of: (result: ScaleResult) => string) => [what, ...results.map(of)];
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  return table([
    row("machines", ({ machines }) => String(machines)),
    row("resources", ({ machines }) => String(machines * RESOURCES_PER_MACHINE)),
    row(
      "first up, 1 % of the machines refuse the first connections",
      ({ first, failing }) => `${seconds(first)} (${failing})`,
    ),
    row("  created, of what could be created", ({ made, possible }) => `${made} of ${possible}`),
    row("  the engine alone, on as many resources", ({ engineAlone }) => seconds(engineAlone)),
    row(
      "  a machine, without the engine",
      ({ first, engineAlone, machines }) => `${((1000 * Math.max(0, first - engineAlone)) / machines).toFixed(0)} ms`,
    ),
    row("second up: the rest", ({ second }) => seconds(second)),
    row("preview with refresh", ({ refresh }) => seconds(refresh)),
    row("  remaining changes", ({ left }) => String(left)),
    row("provider: peak memory", ({ providerMiB }) => `${providerMiB} MiB`),
    row("provider: CPU time, all runs", ({ providerProcessor }) => seconds(providerProcessor)),
    row("connections per machine, all runs", ({ connectionsPerMachine }) => connectionsPerMachine.toFixed(2)),
    row("  open in parallel, of all and of one", ({ mostOpen, mostOpenOfOne }) => `${mostOpen}, ${mostOpenOfOne}`),
    row("round trips per machine: create", ({ roundTrips }) => roundTrips.create.toFixed(1)),
    row("  refresh", ({ roundTrips }) => roundTrips.refresh.toFixed(1)),
    row("state", ({ stateKiB }) => `${stateKiB} KiB`),
  ]).join("\n");
}
