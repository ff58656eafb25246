import { delimiter, dirname } from "node:path";
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { projectRoot } from "../../common/project-root";
import { run as runProcess } from "../../common/process";
import { controlPlaneNames, madeNames, poolsOf, type ClusterConfig } from "../../components/config";
import { drawLadder } from "../../render/ladder-drawing";
import { RUNGS, type Rung } from "../../render/rung";
import { pathOutput } from "../engine/outputs";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { withStack } from "../engine/stack-session";
import { machineConnection } from "../engine/state";
import { RUNG_CHECKS, type RungCheck } from "../nodes/ladder-checks";
import { stackCommand, type Options } from "../terminal/options";
import { waitForEnter } from "../terminal/prompt";
import { run as up } from "./up";

/** `npm run ladder`: builds a cluster component by component, with a pause on each rung. */
export async function run(options: Options): Promise<number> {
  const rungs = RUNGS.slice(0, RUNGS.findIndex((rung) => rung === (options.values.to ?? "dns")) + 1);
  for (const rung of rungs) {
    const code = await climb(rung, rung === rungs.at(-1), options);
    if (code !== 0) return code;
  }
  process.stdout.write(
    `\nClimb down: \`${stackCommand("up", options.stack, "--config rung=kubelet")}\`. ` +
      `Delete the cluster: \`${stackCommand("down", options.stack)}\`.\n`,
  );
  return 0;
}

async function climb(rung: Rung, isLast: boolean, { stack, ...options }: Options): Promise<number> {
  const config = { "workers.count": "1", extras: "true", ...options.config, bootstrap: "components", rung };
  const none: Options = { stack, config: {}, flags: new Set(), values: {}, words: [] };
  const code = await up({ ...none, config });
  if (code !== 0) return code;
  return await withStack(none, "ladder", async (pulumiStack, session) => {
    await showRung(rung, pulumiStack, session);
    if (!isLast) await waitForEnter("Press Enter to climb to the next rung", session.signal);
    return 0;
  });
}

async function showRung(rung: Rung, stack: Stack, session: Session): Promise<void> {
  const config = await readStackConfig(stack);
  const machines = machineNames(config);
  const [first = ""] = machines;
  const drawing = drawLadder({ rung, machines, runtime: config.runtime, runAs: config.controlPlane.runAs });
  process.stdout.write(`\n${drawing}`);
  const machine = session.provider.connections.get(await machineConnection(stack, first));
  const environment = environmentOf(await stack.outputs());
  for (const check of RUNG_CHECKS[rung])
    await show(check, first, environment, async (command) => {
      const { stdout } = await machine.run(command, { step: check.shows, signal: session.signal });
      return stdout;
    });
}

function machineNames(config: ClusterConfig): string[] {
  return [...controlPlaneNames(config), ...poolsOf(config).flatMap((pool) => madeNames(config, pool))];
}

/** Environment in which `kubectl` is the cluster's own. */
function environmentOf(outputs: OutputMap): NodeJS.ProcessEnv {
  const folder = dirname(pathOutput(outputs, "kubectlPath") ?? "");
  return { KUBECONFIG: pathOutput(outputs, "kubeconfigPath") ?? "", PATH: [folder, process.env.PATH].join(delimiter) };
}

/** Prints the command as a user types it, and its output. */
async function show(
  { shows, where, command }: RungCheck,
  machine: string,
  env: NodeJS.ProcessEnv,
  runOnMachine: (command: string) => Promise<string>,
): Promise<void> {
  process.stdout.write(`\n# ${shows}\n${where === "here" ? "" : machine}$ ${command}\n`);
  const output =
    where === "here"
      ? (await runProcess("sh", ["-c", command], { cwd: projectRoot(), env })).stdout
      : await runOnMachine(command);
  process.stdout.write(`${String(output).trimEnd()}\n`);
}
