import { until } from "../../common/wait";
import type { Operation } from "./cell";
import type { Ground } from "./test-cluster";

const READY_SECONDS = 120;

interface NodeItem {
  metadata: { name: string };
  spec: { unschedulable?: boolean };
  status: { conditions?: { type: string; status: string }[] };
}

/** What is not as it should be after an operation; nothing is the aim. */
export async function wrongAfter(operation: Operation, ground: Ground): Promise<string[]> {
  const { after } = operation;
  const machines =
    after === undefined
      ? []
      : [ground.controlPlane, ...Array.from({ length: after }, (_, index) => `worker-${index + 1}`)];
  const wrong = differences(
    "machines",
    machines.map((name) => ground.container(name)).sort(),
    await ground.containers(),
  );
  if (after === undefined || wrong.length > 0) return wrong;
  wrong.push(...(await wrongNodes(machines, operation, ground)));
  if (!(await ground.keepsCanary())) wrong.push("the canary in etcd is lost");
  const { code, text } = await ground.stack.up();
  if (code !== 0 || !text.includes("Nothing to change"))
    wrong.push(`a further run finds something to do: ${changesIn(text)}`);
  return wrong;
}

/** A machine that was rebooted a moment ago is given the time to come back. */
async function wrongNodes(names: readonly string[], operation: Operation, ground: Ground): Promise<string[]> {
  let last: string[] = [];
  const look = async () => {
    last = await lookAtNodes(names, operation, ground).catch((error: Error) => [
      `the API does not answer: ${error.message.split("\n")[0]}`,
    ]);
    return last.length === 0 ? true : undefined;
  };
  await until(look, {
    signal: AbortSignal.timeout(2 * READY_SECONDS * 1000),
    timeout: READY_SECONDS,
    every: 1_000,
    onTimeout: () => new Error(),
  }).catch(() => undefined);
  return last;
}

async function lookAtNodes(
  names: readonly string[],
  { cordons, target }: Operation,
  ground: Ground,
): Promise<string[]> {
  const { items } = JSON.parse(await ground.kubectl("get nodes -o json")) as { items: NodeItem[] };
  const cordoned = cordons ? [target] : [];
  return [
    ...differences("nodes", [...names].sort(), items.map(({ metadata }) => metadata.name).sort()),
    ...items.filter((node) => !isReady(node)).map(({ metadata }) => `${metadata.name} is not Ready`),
    ...differences(
      "cordoned nodes",
      cordoned,
      items.filter(({ spec }) => spec.unschedulable).map(({ metadata }) => metadata.name),
    ),
  ];
}

function isReady({ status }: NodeItem): boolean {
  return (status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

function differences(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  return wanted.join() === found.join()
    ? []
    : [`${what}: ${found.join(", ") || "none"} instead of ${wanted.join(", ") || "none"}`];
}

function changesIn(text: string): string {
  return text
    .split("\n")
    .filter((line) => /: (creating|updating|deleting|recreating|FAILED)|✗/.test(line))
    .slice(0, 4)
    .map((line) => line.trim())
    .join("; ");
}
