import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run as up } from "../../../../cli/commands/up";
import { CommandEnded } from "../../../../cli/engine/session";
import { CLUSTER, fakeSession, fakeStack } from "../fake-stack";
import { atRest, firstControlPlane } from "../preview/steps";

const mocks = vi.hoisted(() => ({
  confirm: vi.fn<() => Promise<boolean>>(),
  fillCache: vi.fn<() => Promise<void>>(),
  preview: vi.fn<(options: { onEvent: (one: EngineEvent) => void }) => Promise<void>>(),
  runOperation: vi.fn<() => Promise<unknown>>(),
}));
let folder: string;
let errors: string;
let kubernetes: object;
vi.mock("../../../../cli/engine/paths", async (original) => ({
  ...(await original<object>()),
  stackConfigFile: (stack: string) => join(folder, `Pulumi.${stack}.yaml`),
}));
vi.mock("../../../../cli/terminal/prompt", () => ({ confirm: mocks.confirm }));
vi.mock("../../../../cli/engine/fill-cache", () => ({ fillCache: mocks.fillCache }));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation: mocks.runOperation }));
vi.mock("../../../../cli/engine/new-cluster", () => ({
  configureNewCluster: async (_stack: unknown, config: unknown) => config,
}));
vi.mock("../../../../cli/nodes/closing-table", () => ({ closingTable: async () => undefined }));
vi.mock("../../../../cli/nodes/etcd-forecast", () => ({
  withEtcdForecast: async (_stack: unknown, _session: unknown, plan: unknown) => plan,
}));
vi.mock("../../../../cli/engine/session", async (original) => ({
  ...(await original<object>()),
  withSession: async (_stack: string, work: (one: unknown) => Promise<number>) => await work(fakeSession()),
}));
vi.mock("../../../../cli/engine/workspace", () => ({
  prepareEngine: async () => ({}),
  isKnownMissing: () => false,
  openStack: async () =>
    fakeStack(CLUSTER, {
      preview: mocks.preview,
      getAllConfig: async () => ({ "kubewright:kubernetes": { value: JSON.stringify(kubernetes) } }),
      setAllConfig: async () => writeFileSync(file(), "changed"),
      removeConfig: async (path: string) => writeFileSync(file(), `without ${path}`),
    }),
}));

const file = () => join(folder, "Pulumi.dev.yaml");
const isTTY = process.stdin.isTTY;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-up-"));
  writeFileSync(file(), "before");
  errors = "";
  kubernetes = {};
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
  process.stdin.isTTY = true;
  const steps = [...firstControlPlane, ...atRest("delete")];
  mocks.fillCache.mockReset().mockResolvedValue();
  mocks.confirm.mockReset().mockResolvedValue(true);
  mocks.preview.mockReset().mockImplementation(async ({ onEvent }) => {
    for (const metadata of steps) onEvent({ resourcePreEvent: { metadata } } as unknown as EngineEvent);
  });
});
afterEach(() => {
  process.stdin.isTTY = isTTY;
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ["a version that the source does not have", () => mocks.fillCache.mockRejectedValue(new Error("not published"))],
  ["a value that the preview refuses", () => mocks.preview.mockRejectedValue(new Error("cannot change"))],
  ["a value whose disruption the user declines", () => mocks.confirm.mockResolvedValue(false)],
])("up does not keep %s", async (_, refuse) => {
  refuse();
  const config = { "kubernetes.version": "1.36.99" };
  await up({ stack: "dev", config, flags: new Set(), values: {}, words: [] }).catch(() => undefined);
  expect(mocks.runOperation).not.toHaveBeenCalled();
  expect(readFileSync(file(), "utf8")).toBe("before");
  expect(errors).toContain("was restored, without the change of kubernetes.version");
});

test("up does not keep the backup of a restore that the user declines", async () => {
  mocks.confirm.mockResolvedValue(false);
  const values = { "restore-from": "latest" };
  expect(await up({ stack: "dev", config: {}, flags: new Set(), values, words: [] })).toBe(1);
  expect(readFileSync(file(), "utf8")).toBe("before");
});

test("up restores what an upgrade removes from the configuration if the run is refused", async () => {
  let during = "";
  mocks.fillCache.mockImplementation(async () => {
    during = readFileSync(file(), "utf8");
    throw new Error("not published");
  });
  const removed = ["kubernetes.hold"];
  const run = up({ stack: "dev", config: {}, removed, flags: new Set(["yes"]), values: {}, words: [] });
  await expect(run).rejects.toThrow("not published");
  expect(during).toBe("without kubernetes.hold");
  expect(readFileSync(file(), "utf8")).toBe("before");
});

test("up removes the record of an upgrade only after a run that succeeds", async () => {
  kubernetes = { version: "1.36.3", upgrading: { before: "1.35.4", to: "1.36.3" } };
  let during = "";
  mocks.runOperation.mockReset().mockImplementation(async () => {
    during = readFileSync(file(), "utf8");
    return { outputs: { stackId: { value: "dev" } }, view: { changed: 1, changes: {} } };
  });
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  expect(await up({ stack: "dev", config: {}, flags: new Set(["yes"]), values: {}, words: [] })).toBe(0);
  expect(during).toBe("before");
  expect(readFileSync(file(), "utf8")).toMatch(/^without kubernetes\./);
  expect(output.mock.calls.join("")).toContain("The upgrade to 1.36.3 has ended;");
});

test("up leaves the record to an upgrade that runs it for one of its steps", async () => {
  kubernetes = { version: "1.35.4", upgrading: { before: "1.34.4", to: "1.36.3" } };
  mocks.runOperation.mockReset().mockResolvedValue({
    ...{ outputs: { stackId: { value: "dev" } }, view: { changed: 1, changes: {} } },
  });
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const options = { stack: "dev", config: {}, flags: new Set(["yes"]), values: {}, words: [] };
  expect(await up({ ...options, removed: [] })).toBe(0);
  expect(output.mock.calls.join("")).not.toContain("Not upgraded yet");
  expect(await up(options)).toBe(0);
  expect(output.mock.calls.join("")).toContain("Not upgraded yet: the upgrade to 1.36.3 is at 1.35.4;");
});

test("up keeps the values of a run that succeeds if the run that continues it cannot begin", async () => {
  mocks.runOperation.mockReset().mockResolvedValueOnce({ outputs: {} });
  mocks.runOperation.mockRejectedValueOnce(new CommandEnded(1, true, true));
  const config = { "kubernetes.version": "1.36.4" };
  const run = up({ stack: "dev", config, flags: new Set(["yes"]), values: {}, words: [] });
  await expect(run).rejects.toBeInstanceOf(CommandEnded);
  expect(mocks.runOperation).toHaveBeenCalledTimes(2);
  expect(readFileSync(file(), "utf8")).toBe("changed");
});
