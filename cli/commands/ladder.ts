import { delimiter, dirname } from "node:path";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { projectRoot } from "../../common/project-root";
import { controlPlaneNames, madeNames, poolsOf } from "../../components/config";
import { ladderDrawing } from "../../render/ladder-drawing";
import { RUNGS, type Rung } from "../../render/rung";
import { waitForEnter } from "../terminal/prompt";
import { run } from "../../common/process";
import { LOOKS, type Look } from "../nodes/ladder-checks";
import { textOf } from "../nodes/node-table";
import { onStack } from "../engine/on-stack";
import { parseOptions, type Options } from "../terminal/options";
import { readStackConfig } from "../engine/stack-config";
import { machineConnection } from "../engine/state";
import { main as up } from "./up";

const LADDER_STACK = "ladder";

/** `npm run ladder`: the whole walk on local machines, with a pause at each rung where there is somebody to read. `--to RUNG` ends it there. */
export async function main(args: readonly string[]): Promise<number> {
  const given = args.some((word) => /^(--stack|-s)(=|$)/.test(word)) ? args : ["--stack", LADDER_STACK, ...args];
  const options = parseOptions(given, [], ["to"]);
  for (const rung of RUNGS.slice(0, RUNGS.indexOf(lastRung(options)) + 1)) {
    const code = await climb(rung, options);
    if (code !== 0) return code;
  }
  process.stdout.write(
    `\nDown again: \`npm start -- --stack ${options.stack} --config rung=kubelet\`. Away with it: \`npm run down -- --stack ${options.stack}\`.\n`,
  );
  return 0;
}

function lastRung({ values }: Options): Rung {
  const found = RUNGS.find((rung) => rung === (values.to ?? "dns"));
  if (found) return found;
  throw new StepError({
    step: "reading --to",
    cause: `"${values.to}" is no rung`,
    action: `known are ${RUNGS.join(", ")}`,
  });
}

async function climb(rung: Rung, options: Options): Promise<number> {
  const { stack } = options;
  const settings = { "workers.count": "1", extras: "true", ...options.config, bootstrap: "components", rung };
  const code = await up([
    "--stack",
    stack,
    ...Object.entries(settings).flatMap(([key, value]) => ["--config", `${key}=${value}`]),
  ]);
  if (code !== 0) return code;
  return await onStack(
    { stack, config: {}, flags: new Set(), values: {}, words: [] },
    "ladder",
    async (found, session) => {
      const config = await readStackConfig(found);
      const [first = "", ...others] = [
        ...controlPlaneNames(config),
        ...poolsOf(config).flatMap((pool) => madeNames(config, pool)),
      ];
      process.stdout.write(
        `\n${ladderDrawing({ rung, machines: [first, ...others], runtime: config.runtime, runAs: config.controlPlane.runAs })}`,
      );
      const machine = session.provider.connections.get(await machineConnection(found, first));
      const environment = environmentOf(await found.outputs());
      try {
        for (const look of LOOKS[rung])
          await show(
            look,
            first,
            environment,
            async (command) => (await machine.run(command, { step: look.shows, signal: session.signal })).stdout,
          );
      } finally {
        machine.close(); // an open one would keep the command from ending
      }
      if (rung !== lastRung(options)) await waitForEnter("Press Enter to climb to the next rung", session.signal);
      return 0;
    },
  );
}

/** So that `kubectl` is the cluster's own, as the commands have it. */
function environmentOf(outputs: OutputMap): NodeJS.ProcessEnv {
  const folder = dirname(textOf(outputs, "kubectlPath") ?? "");
  return { KUBECONFIG: textOf(outputs, "kubeconfigPath") ?? "", PATH: [folder, process.env.PATH].join(delimiter) };
}

/** The command as a person types it, and what it printed. */
async function show(
  { shows, where, command }: Look,
  machine: string,
  env: NodeJS.ProcessEnv,
  there: (command: string) => Promise<string>,
): Promise<void> {
  process.stdout.write(`\n# ${shows}\n${where === "here" ? "" : `${machine}`}$ ${command}\n`);
  const text =
    where === "here" ? (await run("sh", ["-c", command], { cwd: projectRoot(), env })).stdout : await there(command);
  process.stdout.write(`${String(text).trimEnd()}\n`);
}
