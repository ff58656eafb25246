import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configuredDrain, drainNode, drainSettings, verifyNodeMachine } from "../../../../cli/nodes/drain-node";
import { parseCommandLine } from "../../../../cli/terminal/command-line";
import { COMMANDS } from "../../../../cli/commands/table";
import { testContext } from "../../../support/context";
import type { DrainOptions } from "../../../../provider/kube/drain-options";
import type { rejectOtherMachine } from "../../../../provider/resources/other-machine";
import { CLUSTER, fakeApi, fakeSession, fakeStack } from "../fake-stack";

const drain = vi.hoisted(() => vi.fn<(api: unknown, options: DrainOptions) => Promise<unknown>>());
const reject = vi.hoisted(() => vi.fn<typeof rejectOtherMachine>());
const readStackConfig = vi.hoisted(() => vi.fn<() => Promise<object>>());
let folder: string;
vi.mock("../../../../provider/kube/drain", () => ({ drain }));
vi.mock("../../../../provider/resources/other-machine", () => ({ rejectOtherMachine: reject }));
vi.mock("../../../../cli/engine/stack-config", async (original) => ({
  ...(await original<object>()),
  readStackConfig,
}));
vi.mock("../../../../cli/engine/paths", async (original) => ({
  ...(await original<object>()),
  stackConfigFile: (stack: string) => join(folder, `${stack}.yaml`),
}));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-drain-"));
  drain.mockReset().mockResolvedValue({ evicted: [] });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function settings(...args: string[]) {
  const parsed = parseCommandLine(COMMANDS["node-drain"] ?? { name: "", summary: "", examples: [] }, args, {});
  if (!("options" in parsed)) throw new Error("this is the help");
  return drainSettings(parsed.options);
}

test("only options that are given become settings", () => {
  expect(settings("worker-1")).toEqual({});
  expect(settings("worker-1", "--timeout", "9", "--delete-local-data", "--keep-cordoned")).toEqual({
    timeout: 9,
    localData: "delete",
    stayCordoned: true,
  });
  expect(settings("worker-1", "--force", "--delete-unmanaged")).toEqual({ force: true, unmanaged: "delete" });
  expect(() => settings("worker-1", "--timeout", "soon")).toThrow(/"soon" is not a whole number from 1 on/);
});

test("the configured settings apply where the command line has none", async () => {
  expect(configuredDrain("dev")).toEqual({});
  writeFileSync(join(folder, "dev.yaml"), "config:\n  kubewright:drain:\n    timeout: 7\n    localData: delete\n");
  await drainNode(fakeApi(), fakeStack(), "worker-1", { timeout: 9 }, fakeSession());
  expect(drain.mock.lastCall?.[1]).toMatchObject({ node: "worker-1", timeout: 9, localData: "delete" });
});

test("the progress is printed when it changes", async () => {
  drain.mockImplementation(async (_api, { status }) => {
    for (const message of ["2 pods", "2 pods", "1 pod"]) status(message);
  });
  const session = fakeSession();
  await drainNode(fakeApi(), fakeStack(), "worker-1", {}, session);
  expect(session.lines).toEqual(["2 pods", "1 pod"]);
});

test("a machine that the state does not know is not taken for gone", async () => {
  drain.mockImplementation(async (_api, { isGone }) => await isGone?.(Date.now()));
  const session = fakeSession();
  expect(await drainNode(fakeApi(), fakeStack(CLUSTER), "worker-9", {}, session)).toMatchObject({
    gone: false,
    reason: expect.stringContaining("no connection to worker-9") as string,
  });
});

test("the machine of a node is verified with its recorded identity and the configured recovery", async () => {
  const recovery = { abandoned: ["worker-1"], acceptHostKeys: { "worker-1": "SHA256:x" } };
  readStackConfig.mockResolvedValue({ recovery });
  writeFileSync(join(folder, "dev.yaml"), "config:\n  kubewright:drain:\n    fence: power-off\n");
  const session = { ...fakeSession(), provider: testContext() };
  await verifyNodeMachine(fakeApi(), fakeStack(CLUSTER), "worker-1", { force: true }, session);
  const [context, , machine] = reject.mock.lastCall ?? [];
  expect(machine).toMatchObject({ instance: "id-of-worker-1", node: "worker-1" });
  expect(machine?.connection).toMatchObject({ host: "10.0.0.11", hostKey: "ssh-ed25519 AAAA" });
  expect(machine?.drain).toMatchObject({ force: true, fence: "power-off" });
  expect(context?.unreachable.isAbandoned({ host: "10.0.0.11", port: 22, user: "root", name: "worker-1" })).toBe(true);
});
