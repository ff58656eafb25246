import type { EngineEvent } from "@pulumi/pulumi/automation";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runOperation, type Operation, type RunOptions } from "../../../../cli/engine/operate";
import { CommandEnded } from "../../../../cli/engine/session";
import { forgetCommands } from "../../../../cli/engine/forget-commands";
import { recordRecoverySettings } from "../../../../cli/engine/recovery-settings";
import { readLastRun } from "../../../../cli/engine/last-run";
import { isRunUnfinished } from "../../../../cli/engine/unfinished-run";
import { CLUSTER, fakeSession, fakeStack } from "../fake-stack";
import { event, on } from "../preview/steps";

let folder: string;
let errors: string;
let quorumLoss: () => Error | undefined;
vi.mock("../../../../cli/engine/paths", async (original) => ({
  ...(await original<object>()),
  hiddenFolder: () => folder,
  stackFolder: (stack: string) => join(folder, stack),
  backendFolder: () => join(folder, "state"),
}));
vi.mock("../../../../cli/engine/trial-config", () => ({
  withTrialConfig: async (_stack: unknown, config: object, work: (options: object) => unknown) => work({ config }),
}));
vi.mock("../../../../cli/engine/quorum-loss", () => ({ explainQuorumLoss: async () => quorumLoss() }));
vi.mock("../../../../cli/engine/recovery-settings", () => ({
  recordRecoverySettings: vi.fn(),
  abandonedMachines: () => ["worker-2"],
}));
vi.mock("../../../../cli/engine/forget-commands", () => ({ forgetCommands: vi.fn() }));
beforeEach(() => {
  vi.mocked(recordRecoverySettings).mockReset();
  folder = mkdtempSync(join(tmpdir(), "kubewright-operate-"));
  errors = "";
  quorumLoss = () => undefined;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

interface RunSettings {
  onEvent: (event: EngineEvent) => void;
  refresh?: boolean;
  config?: object;
}

function stackThat(up: (settings: RunSettings) => Promise<unknown>) {
  const received: RunSettings[] = [];
  const record = async (settings: RunSettings) => (received.push(settings), await up(settings));
  const getAllConfig = async () => ({ "kubewright:workers": { value: '{"count":2}' } });
  return { received, stack: fakeStack(CLUSTER, { up: record, destroy: record, getAllConfig }) };
}

const succeeding = () => stackThat(async () => ({ outputs: { stackId: { value: "x", secret: false } } }));
const failing = () =>
  stackThat(async ({ onEvent }) => {
    const metadata = event("create", "host:Unit", "worker-1-kubelet", { desired: on("worker-1") });
    onEvent({ resourcePreEvent: { metadata } } as unknown as EngineEvent);
    onEvent({
      diagnosticEvent: { urn: metadata.urn, severity: "error", message: "no space; free some", color: "never" },
    } as EngineEvent);
    onEvent({ resOpFailedEvent: { metadata } } as unknown as EngineEvent);
    throw new Error("update failed");
  });

test("an up returns the outputs of the stack, and leaves no mark", async () => {
  const { stack, received } = succeeding();
  expect((await runOperation(stack, "up", fakeSession())).outputs.stackId?.value).toBe("x");
  expect(received[0]).toMatchObject({ continueOnError: true, config: {} });
  expect(received[0]?.refresh).toBeUndefined();
  expect(isRunUnfinished("dev")).toBe(false);
});

test("a failed run reports each machine and ends the command with exit code 1", async () => {
  const ended = await runOperation(failing().stack, "up", fakeSession()).catch((error: unknown) => error);
  expect(ended).toBeInstanceOf(CommandEnded);
  expect(ended).toMatchObject({ exitCode: 1, isUnchanged: false });
  expect(errors).toMatch(/worker-1 +FAILED\n {2}✗ Unit worker-1-kubelet: no space; free some\nworker-2 +not started/);
  expect(isRunUnfinished("dev")).toBe(true);
});

test.each([
  ["succeeds", async () => ({ outputs: {} })],
  ["fails", () => Promise.reject(new Error("update failed"))],
])("the live lines of a run that %s are removed at its end", async (_, finish) => {
  let current: (size: object) => readonly string[] = () => [];
  const lines = () => current({ columns: 80, rows: 23 });
  const { stack } = stackThat(async ({ onEvent }) => {
    const metadata = event("create", "host:Unit", "worker-1-kubelet", { desired: on("worker-1") });
    onEvent({ resourcePreEvent: { metadata } } as unknown as EngineEvent);
    expect(lines()).toContainEqual(expect.stringContaining("worker-1"));
    return await finish();
  });
  const session = fakeSession();
  Object.assign(session.screen, { live: true, show: (show: typeof current) => (current = show) });
  await runOperation(stack, "up", session).catch(() => undefined);
  expect(lines()).toEqual([]);
});

test("a run that failed before it began a resource has changed nothing", async () => {
  const { stack } = stackThat(() => Promise.reject(new Error("the program failed")));
  await expect(runOperation(stack, "up", fakeSession())).rejects.toMatchObject({ exitCode: 1, isUnchanged: true });
});

test("a run that failed without a majority of etcd's members explains that", async () => {
  quorumLoss = () => new Error("2 of 3 control planes do not answer, and etcd has no majority");
  await runOperation(failing().stack, "up", fakeSession()).catch(() => undefined);
  expect(errors).toMatch(/finished steps are not repeated\n\n2 of 3 control planes .* no majority\n$/);
});

test("a run whose control planes cannot be asked for the reason reports its own errors", async () => {
  quorumLoss = () => {
    throw new Error("the state has no connections");
  };
  await runOperation(failing().stack, "up", fakeSession()).catch(() => undefined);
  expect(errors).toMatch(/no space; free some[^]*finished steps are not repeated\n$/);
});

test("the timeline of the last run that changed something is kept", async () => {
  await runOperation(failing().stack, "up", fakeSession()).catch(() => undefined);
  const failed = readLastRun("dev");
  expect(failed).toMatchObject({
    outcome: "failed",
    failures: ["Unit worker-1-kubelet: no space; free some"],
    spans: [{ label: "Unit worker-1-kubelet", machine: "worker-1", op: "create", state: "failed" }],
  });
  await runOperation(succeeding().stack, "up", fakeSession());
  expect(readLastRun("dev")).toEqual(failed);
});

test("the run after a failed one reads every machine first", async () => {
  await runOperation(failing().stack, "up", fakeSession()).catch(() => undefined);
  const { stack, received } = succeeding();
  const session = fakeSession();
  await runOperation(stack, "up", session);
  expect(received[0]?.refresh).toBe(true);
  expect(session.lines).toContain("the last run did not finish: reading every machine first");
});

test.each<[Operation, RunOptions, number]>([
  ["up", {}, 0],
  ["up", { refresh: true }, 1],
  ["destroy", {}, 1],
])("before it %ss with %j, the engine gets the configured recovery settings", async (operation, options, times) => {
  const { stack } = succeeding();
  await runOperation(stack, operation, fakeSession(), options);
  expect(recordRecoverySettings).toHaveBeenCalledTimes(times);
});

test("commands of abandoned machines are forgotten before a run", async () => {
  const { stack } = succeeding();
  await runOperation(stack, "up", fakeSession());
  expect(forgetCommands).toHaveBeenCalledWith(stack, ["worker-2"]);
});

test("machines that are replaced are named to the provider for this run", async () => {
  const { stack, received } = succeeding();
  await runOperation(stack, "up", fakeSession(), { rebuilt: ["id-of-worker-1"] });
  expect(received[0]?.config).toEqual({ "recovery.rebuilt[0]": "id-of-worker-1" });
});

test("an interrupted run says how to continue, with exit code 130", async () => {
  const abort = new AbortController();
  const { stack } = stackThat(async () => {
    abort.abort();
    throw new Error("cancelled");
  });
  const session = { ...fakeSession(), signal: abort.signal };
  await expect(runOperation(stack, "destroy", session)).rejects.toMatchObject({ exitCode: 130 });
  expect(errors).toContain("stopped; `npm start` continues from here");
});
