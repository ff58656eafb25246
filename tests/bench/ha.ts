import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, run } from "../../common/process";
import { projectRoot } from "../../common/project-root";
import { isWorker, keyPath, type BenchMachine } from "./machines";
import type { Measured } from "./measure";
import { addressesOf, readMeasured } from "./shell";

export const HA_SCRIPT = join(projectRoot(), "tests", "bench", "ha.sh");

/** Lines of a failed script's output that its error has. */
const LINES = 20;

/**
 * Creates a cluster of several control planes with tests/bench/ha.sh.
 * @param shell the shell script's folder, prepared
 * @throws with the end of the script's output when it fails
 */
export async function runHa(shell: string, machines: readonly BenchMachine[], keyFolder: string): Promise<Measured> {
  const out = join(shell, "ha");
  const names = machines.map(({ name }) => name);
  const env = {
    SHELL_REF: shell,
    BIN: join(shell, "bin"),
    OUT: out,
    NODES: addressesOf(machines),
    CONTROL_PLANES: names.filter((name) => !isWorker(name)).join(" "),
    WORKERS: names.filter(isWorker).join(" "),
    SSH_KEY: keyPath(keyFolder),
  };
  const log = join(shell, "ha.log");
  const { exitCode } = await run(HA_SCRIPT, [], {
    env,
    stdin: "ignore",
    stdout: { file: log },
    stderr: { file: log },
    reject: false,
  });
  if (exitCode !== 0) throw new Error(`ha.sh failed: ${lastLines(readFileSync(log, "utf8"), LINES)}`);
  return readMeasured(out);
}
