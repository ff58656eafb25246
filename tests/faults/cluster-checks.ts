import { until } from "../../common/wait";
import type { Operation } from "./cell";
import type { TestCluster } from "./test-cluster";

const READY_SECONDS = 120;

interface NodeItem {
  metadata: { name: string };
  spec: { unschedulable?: boolean };
  status: { conditions?: { type: string; status: string }[] };
}

/**
 * Returns the problems of the cluster after an operation: machines, nodes, etcd's members, canary, and changes left for
 * a further run.
 */
export async function findProblems(operation: Operation, cluster: TestCluster): Promise<string[]> {
  const { after } = operation;
  const controlPlanes = numbered("control-plane", after?.controlPlanes);
  const machines = [...controlPlanes, ...numbered("worker", after?.workers)];
  const expected = machines.map((name) => cluster.containerName(name)).sort();
  const problems = compare("machines", expected, await cluster.listContainers());
  if (after === undefined || problems.length > 0) return problems;
  problems.push(...(await waitForNodes(machines, operation, cluster)));
  problems.push(...compare("etcd members", controlPlanes, await cluster.etcdMembers().catch(() => ["unknown"])));
  if (!(await cluster.hasCanary())) problems.push("the canary in etcd is lost");
  const { code, text } = await cluster.stack.up();
  if (code !== 0 || !text.includes("Nothing to change"))
    problems.push(`a further run changes something: ${changesIn(text)}`);
  return problems;
}

function numbered(name: string, count = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

/** Waits until the nodes have no problems, as after a reboot, and returns those that remain. */
async function waitForNodes(names: readonly string[], operation: Operation, cluster: TestCluster): Promise<string[]> {
  let problems: string[] = [];
  const check = async () => {
    problems = await findNodeProblems(names, operation, cluster).catch((error: Error) => [
      `the API server does not answer: ${error.message.split("\n")[0]}`,
    ]);
    return problems.length === 0 ? true : undefined;
  };
  await until(check, {
    signal: AbortSignal.timeout(2 * READY_SECONDS * 1000),
    timeout: READY_SECONDS,
    every: 1_000,
    onTimeout: () => new Error(),
  }).catch(() => undefined);
  return problems;
}

async function findNodeProblems(
  names: readonly string[],
  { cordons, target }: Operation,
  cluster: TestCluster,
): Promise<string[]> {
  const { items } = JSON.parse(await cluster.kubectl("get nodes -o json")) as { items: NodeItem[] };
  const cordoned = items.filter(({ spec }) => spec.unschedulable).map(({ metadata }) => metadata.name);
  return [
    ...compare("nodes", [...names].sort(), items.map(({ metadata }) => metadata.name).sort()),
    ...items.filter((node) => !isReady(node)).map(({ metadata }) => `${metadata.name} is not Ready`),
    ...compare("cordoned nodes", cordons ? [target] : [], cordoned),
  ];
}

function isReady({ status }: NodeItem): boolean {
  return (status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

function compare(what: string, expected: readonly string[], actual: readonly string[]): string[] {
  if (expected.join() === actual.join()) return [];
  return [`${what}: ${actual.join(", ") || "none"} instead of ${expected.join(", ") || "none"}`];
}

function changesIn(text: string): string {
  return text
    .split("\n")
    .filter((line) => /: (creating|updating|deleting|recreating|FAILED)|✗/.test(line))
    .slice(0, 4)
    .map((line) => line.trim())
    .join("; ");
}
