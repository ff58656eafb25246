import type { Deployment } from "@pulumi/pulumi/automation";
import { expect, test } from "vitest";
import { forgetCommands } from "../../../../cli/engine/forget-commands";
import { CLUSTER, fakeStack } from "../fake-stack";

const COMMAND = "command:remote:Command";
const commands = ["worker-1", "worker-2"].flatMap((machine) =>
  ["after-join", "before-drain"].map((phase) => ({
    type: COMMAND,
    name: `${machine}-${phase}-report`,
    parent: `kubewright:components:Worker::${machine}`,
  })),
);

/** Returns the names of the commands that stay in the state; undefined if it is not written. */
async function keptCommands(abandoned: readonly string[]): Promise<string[] | undefined> {
  let imported: Deployment | undefined;
  const importStack = async (state: Deployment) => void (imported = state);
  await forgetCommands(fakeStack([...CLUSTER, ...commands], { importStack }), abandoned);
  const { resources } = (imported?.deployment ?? {}) as { resources?: { type: string; urn: string }[] };
  return resources?.filter(({ type }) => type === COMMAND).map(({ urn }) => urn.split("::").at(-1) ?? "");
}

test("the commands before the drain of an abandoned machine are removed from the state, and no others", async () => {
  expect(await keptCommands(["worker-2"])).toEqual([
    "worker-1-after-join-report",
    "worker-1-before-drain-report",
    "worker-2-after-join-report",
  ]);
});

test("all machines may be abandoned", async () => {
  expect(await keptCommands(["all"])).toEqual(["worker-1-after-join-report", "worker-2-after-join-report"]);
});

test("without abandoned machines that have commands the state is not written", async () => {
  expect(await keptCommands([])).toBeUndefined();
  expect(await keptCommands(["worker-3"])).toBeUndefined();
});
