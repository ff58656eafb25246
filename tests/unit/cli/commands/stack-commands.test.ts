import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run as drift } from "../../../../cli/commands/drift";
import { run as acceptHostKey } from "../../../../cli/commands/host-key-accept";
import { run as kubeconfig } from "../../../../cli/commands/kubeconfig";
import { run as drainNode } from "../../../../cli/commands/node-drain";
import { run as replaceNode } from "../../../../cli/commands/node-replace";
import { run as resetNode } from "../../../../cli/commands/node-reset";
import { run as uncordonNode } from "../../../../cli/commands/node-uncordon";
import { run as preview } from "../../../../cli/commands/preview";
import { run as up } from "../../../../cli/commands/up";
import type { Options } from "../../../../cli/terminal/options";
import { configOf } from "../../../../components/program/program-config";
import type { KubeApi } from "../../../../provider/kube/api";
import { CLUSTER, fakeApi, fakeSession, fakeStack, urnOf } from "../fake-stack";
import { event, firstControlPlane, atRest } from "../preview/steps";

const mocks = vi.hoisted(() => ({
  confirm: vi.fn<(question: string) => Promise<boolean>>(),
  runOperation: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  changeStackConfig: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  configureNewCluster: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  drain: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  setSchedulable: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  replaceNode: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  waitForWorkloads: vi.fn<(...args: unknown[]) => Promise<unknown>>(),
  assertQuorum: vi.fn<(...args: unknown[]) => Promise<string[]>>(),
}));
const ETCD = "etcd has 3 members, 3 healthy: removing control-plane-2 leaves 2 of 2";
let stack: Stack;
let session: ReturnType<typeof fakeSession>;
let api: KubeApi;
let events: EngineEvent[];
let output: string;
let isNew: boolean;

vi.mock("../../../../cli/terminal/prompt", () => ({ confirm: mocks.confirm }));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation: mocks.runOperation }));
vi.mock("../../../../cli/engine/new-cluster", () => ({ configureNewCluster: mocks.configureNewCluster }));
vi.mock("../../../../cli/engine/fill-cache", () => ({ fillCache: async () => undefined }));
vi.mock("../../../../cli/engine/session", async (original) => ({
  ...(await original<object>()),
  withSession: async (_stack: string, work: (one: unknown) => Promise<number>) => await work(session),
}));
vi.mock("../../../../cli/engine/stack-session", () => ({
  withStack: async (_options: unknown, _name: string, work: (...all: unknown[]) => Promise<number>) =>
    await work(stack, session),
  withCluster: async (_options: unknown, _name: string, work: (...all: unknown[]) => Promise<number>) =>
    await work(api, stack, session),
}));
vi.mock("../../../../cli/engine/workspace", () => ({
  prepareEngine: async () => ({}),
  findStack: async () => stack,
  openStack: async () => stack,
  isKnownMissing: () => isNew,
}));
vi.mock("../../../../cli/engine/stack-config", async (original) => ({
  ...(await original<object>()),
  changeStackConfig: mocks.changeStackConfig,
  readStackConfig: async () => configOf({ workers: '{"count":1}' }),
}));
vi.mock("../../../../cli/engine/trial-config", () => ({
  withTrialConfig: async (_stack: unknown, _config: unknown, work: (options: object) => unknown) => await work({}),
}));
vi.mock("../../../../provider/kube/drain", () => ({ drain: mocks.drain }));
vi.mock("../../../../provider/kube/drain-plan", () => ({
  planDrain: async () => ({
    ready: true,
    cordoned: false,
    pods: 2,
    possible: false,
    obstacles: ["budget default/web"],
  }),
}));
vi.mock("../../../../provider/kube/cordon", async (original) => ({
  ...(await original<object>()),
  requireNode: async () => ({}),
  setSchedulable: mocks.setSchedulable,
}));
vi.mock("../../../../cli/nodes/replace", async (original) => ({
  ...(await original<object>()),
  replaceNode: mocks.replaceNode,
}));
vi.mock("../../../../cli/nodes/etcd-forecast", () => ({
  assertQuorum: mocks.assertQuorum,
  withEtcdForecast: async (_stack: unknown, _session: unknown, plan: { notices: string[] }) => ({
    ...plan,
    notices: [...plan.notices, ETCD],
  }),
}));
vi.mock("../../../../cli/nodes/workloads", () => ({
  availableWorkloads: async () => new Set(),
  waitForWorkloads: mocks.waitForWorkloads,
}));

const outputs = { stackId: "id", kubeconfigPath: "/dev/null", kubectlPath: "/bin/kubectl" };
const outputMap = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value, secret: false }]));
const isTTY = process.stdin.isTTY;

beforeEach(() => {
  for (const mock of Object.values(mocks)) mock.mockReset();
  mocks.confirm.mockResolvedValue(true);
  mocks.runOperation.mockResolvedValue({ view: { changed: 2, changes: { same: 3 } }, outputs: outputMap });
  mocks.assertQuorum.mockResolvedValue([]);
  mocks.configureNewCluster.mockImplementation(async (_stack, config) => config);
  mocks.drain.mockResolvedValue({ evicted: ["a", "b"] });
  api = fakeApi({ name: "worker-1" });
  session = fakeSession(async () => api);
  events = [];
  isNew = false;
  stack = fakeStack(CLUSTER, {
    outputs: async () => outputMap,
    preview: async ({ onEvent }: { onEvent: (one: EngineEvent) => void }) => events.forEach(onEvent),
  });
  output = "";
  const capture = (text: string | Uint8Array) => ((output += String(text)), true);
  vi.spyOn(process.stdout, "write").mockImplementation(capture);
  vi.spyOn(process.stderr, "write").mockImplementation(capture);
});
afterEach(() => {
  process.stdin.isTTY = isTTY;
  vi.restoreAllMocks();
});

function options(words: string[] = [], flags: string[] = []): Options {
  return { stack: "dev", config: {}, flags: new Set(flags), values: {}, words };
}

const planned = (...metadata: object[]) =>
  metadata.map((one) => ({ resourcePreEvent: { metadata: one } }) as unknown as EngineEvent);
const disrupting = () => planned(...firstControlPlane, ...atRest("delete"));

test("up prints what changed, the nodes and the next commands", async () => {
  expect(await up(options())).toBe(0);
  expect(output).toContain("Done: 2 of 5 resources changed.");
  expect(output).toMatch(/worker-1 +Ready/);
  expect(output).toContain("delete      npm run down");
});

test("up on a terminal shows the plan of a disruption, and changes nothing after a no", async () => {
  process.stdin.isTTY = true;
  events = disrupting();
  mocks.confirm.mockResolvedValue(false);
  expect(await up(options())).toBe(1);
  expect(output).toContain("DISRUPTIONS:\n  worker-1 is drained, and its machine is deleted");
  expect(mocks.runOperation).not.toHaveBeenCalled();
});

test.each([
  ["with --yes", true, ["yes"], false],
  ["without a terminal", false, [], false],
  ["for a new stack", true, [], true],
])("up asks nothing %s", async (_when, isTerminal, flags, isNewStack) => {
  process.stdin.isTTY = isTerminal;
  isNew = isNewStack;
  events = disrupting();
  expect(await up(options([], flags))).toBe(0);
  expect(mocks.confirm).not.toHaveBeenCalled();
  expect(mocks.configureNewCluster.mock.lastCall?.[2]).toMatchObject({ isMissing: isNewStack });
});

test("up runs again where the engine ended without outputs", async () => {
  mocks.runOperation.mockResolvedValueOnce({ view: { changed: 0, changes: {} }, outputs: {} });
  expect(await up(options())).toBe(0);
  expect(mocks.runOperation).toHaveBeenCalledTimes(2);
  expect(session.lines).toContain("Pulumi ended before all resources were created: continuing");
});

test("preview ends with 2 where something would change, and with 0 otherwise", async () => {
  expect(await preview(options())).toBe(0);
  events = disrupting();
  expect(await preview(options([], ["json"]))).toBe(2);
  expect(output).toContain('"outcome": "removed"');
});

test("drift ends with 0, with 2 for drift, and with 1 where a machine could not be read", async () => {
  expect(await drift(options())).toBe(0);
  const warning = { severity: "warning", message: "not read, its last known state is kept: x", color: "never" };
  events = [{ diagnosticEvent: warning } as EngineEvent];
  expect(await drift(options())).toBe(1);
  events = planned(event("update", "host:Unit", "worker-1-kubelet", { current: { problem: "failed" }, desired: {} }));
  expect(await drift(options())).toBe(2);
  expect(output).toContain("note: not read");
});

test("kubeconfig prints the path alone", async () => {
  expect(await kubeconfig(options())).toBe(0);
  expect(output).toBe("/dev/null\n");
  stack = fakeStack([], { outputs: async () => ({}) });
  await expect(kubeconfig(options())).rejects.toThrow(/has no cluster; create one/);
});

test("node:drain says how to undo it", async () => {
  expect(await drainNode(options(["worker-1"]))).toBe(0);
  expect(output).toBe(
    "worker-1 is drained and cordoned: 2 pods evicted.\n" +
      "`npm run node:uncordon -- worker-1` makes it schedulable again.\n",
  );
});

test("node:uncordon makes the node schedulable", async () => {
  expect(await uncordonNode(options(["worker-1"]))).toBe(0);
  expect(mocks.setSchedulable).toHaveBeenCalledWith(api, "worker-1", true, session.signal);
});

test("node:reset asks, and destroys everything on the machine", async () => {
  mocks.confirm.mockResolvedValueOnce(false);
  expect(await resetNode(options(["worker-1"]))).toBe(1);
  expect(mocks.runOperation).not.toHaveBeenCalled();
  expect(await resetNode(options(["worker-1"]))).toBe(0);
  const target = [urnOf("kubewright:kubeadm:Join", "worker-1-join")];
  expect(mocks.runOperation).toHaveBeenCalledWith(stack, "destroy", session, { target });
});

test("node:replace shows the steps, the forecast and the other changes before it asks", async () => {
  events = planned(event("update", "host:Unit", "worker-9-kubelet", { current: {}, desired: {} }));
  mocks.confirm.mockResolvedValueOnce(false);
  expect(await replaceNode(options(["worker-1"]))).toBe(1);
  for (const part of [
    "3. its machine is deleted and recreated",
    "2 pods will move. A drain would be held up now by:\n  budget default/web",
    "The same run makes the other changes of the configuration:\n  Unit worker-9-kubelet is changed",
  ])
    expect(output).toContain(part);
  expect(mocks.replaceNode).not.toHaveBeenCalled();
});

test.each([
  ["node:replace", replaceNode, true],
  ["node:reset", resetNode, false],
])("%s shows what etcd will be, and does nothing where no majority would remain", async (_, command, returns) => {
  mocks.assertQuorum.mockResolvedValueOnce([ETCD]);
  mocks.confirm.mockResolvedValueOnce(false);
  expect(await command(options(["worker-1"]))).toBe(1);
  expect(output).toContain(ETCD);
  expect(mocks.assertQuorum).toHaveBeenCalledWith(stack, session, { name: "worker-1", returns });
  mocks.assertQuorum.mockRejectedValueOnce(new Error("no majority"));
  await expect(command(options(["worker-1"], ["yes"]))).rejects.toThrow("no majority");
  for (const act of [mocks.replaceNode, mocks.runOperation]) expect(act).not.toHaveBeenCalled();
});

test("preview and up show what etcd will be", async () => {
  events = disrupting();
  await preview(options());
  expect(output).toContain(`note: ${ETCD}`);
  output = "";
  process.stdin.isTTY = true;
  mocks.confirm.mockResolvedValueOnce(false);
  expect(await up(options())).toBe(1);
  expect(output).toContain(`note: ${ETCD}`);
});

test("node:replace with drain options drains first, by a drain of its own", async () => {
  expect(await replaceNode(options(["worker-1"], ["yes", "force"]))).toBe(0);
  expect(mocks.confirm).not.toHaveBeenCalled();
  expect(mocks.drain).toHaveBeenCalledBefore(mocks.replaceNode);
  expect(output).toContain("worker-1 is replaced, and all moved pods are running");
  await expect(replaceNode(options(["worker-1"], ["surge", "force"]))).rejects.toThrow(/omit --surge/);
});

test("node:replace waits for the pods through the control planes of the run, one of which may be new", async () => {
  const renewed = fakeApi({ name: "worker-1" });
  mocks.replaceNode.mockImplementationOnce(async () => void (api = renewed));
  expect(await replaceNode(options(["worker-1"], ["yes"]))).toBe(0);
  expect(mocks.waitForWorkloads.mock.calls[0]?.[0]).toBe(renewed);
});

test("host-key:accept records the fingerprint for a machine of the stack", async () => {
  expect(await acceptHostKey(options(["worker-1", "SHA256:x"]))).toBe(0);
  expect(mocks.changeStackConfig).toHaveBeenCalledWith(stack, { 'recovery.acceptHostKeys["worker-1"]': "SHA256:x" });
  await expect(acceptHostKey(options(["worker-9", "SHA256:x"]))).rejects.toThrow(/no node named worker-9/);
});
