import type { Stack } from "@pulumi/pulumi/automation";
import { confirm } from "../terminal/prompt";
import { onStack } from "../engine/on-stack";
import type { Session } from "../engine/operate";
import { npmCommand, onlyWord, type Options, parseOptions } from "../terminal/options";
import { refuseFirst, resetMachine } from "../nodes/reset";
import { machineState } from "../engine/state";

/** `npm run node:reset -- worker-2`: drained, out of the cluster, and its machine as if Kubernetes had never been there. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["yes"]);
  const name = onlyWord(options, "node");
  return await onStack(options, "node:reset", (stack, session) => reset(stack, name, options, session));
}

async function reset(stack: Stack, name: string, options: Options, session: Session): Promise<number> {
  const state = await machineState(stack, name);
  refuseFirst(name, state);
  process.stderr.write(
    `${name} will be drained and leave the cluster; everything of ours on its machine is removed. The machine itself stays.\n`,
  );
  if (!options.flags.has("yes") && !(await confirm(`Reset ${name}?`, session.signal))) return 1;
  await resetMachine(stack, state, session);
  session.screen.close();
  process.stdout.write(
    `${name} has left the cluster, and its machine is clean. It is still in the configuration: \`${npmCommand("start", options.stack)}\` joins it again.\n`,
  );
  return 0;
}
