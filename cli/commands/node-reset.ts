import type { Stack } from "@pulumi/pulumi/automation";
import type { Session } from "../engine/session";
import { withStack } from "../engine/stack-session";
import { machineState } from "../engine/state";
import { assertQuorum } from "../nodes/etcd-forecast";
import { assertRemovable, resetMachine } from "../nodes/reset";
import { nodeArgument, stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";

/**
 * `npm run node:reset -- worker-2`: drains a node, removes it from the cluster and removes Kubernetes from its machine.
 */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "node reset", (stack, session) =>
    reset(stack, nodeArgument(options), options, session),
  );
}

async function reset(stack: Stack, name: string, options: Options, session: Session): Promise<number> {
  const state = await machineState(stack, name);
  await assertRemovable(stack, name);
  const etcd = await assertQuorum(stack, session, { name, returns: false });
  process.stderr.write(
    `${name} will be drained and removed from the cluster, ` +
      "and Kubernetes will be removed from its machine, which stays.\n" +
      etcd.map((line) => `${line}\n`).join(""),
  );
  if (!options.flags.has("yes") && !(await confirm(`Reset ${name}?`, session.signal))) return 1;
  await resetMachine(stack, state, session);
  session.screen.close();
  process.stdout.write(
    `${name} has left the cluster, and Kubernetes is removed from its machine. ` +
      `It is still configured: \`${stackCommand("up", options.stack)}\` joins it again.\n`,
  );
  return 0;
}
