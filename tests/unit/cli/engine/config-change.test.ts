import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withConfigChange } from "../../../../cli/engine/config-change";
import { CommandEnded } from "../../../../cli/engine/session";
import type { ConfigChange } from "../../../../cli/engine/stack-config";
import { StepError } from "../../../../common/errors";
import { fakeSession, fakeStack } from "../fake-stack";

let folder: string;
let errors: string;
vi.mock("../../../../cli/engine/paths", async (original) => ({
  ...(await original<object>()),
  stackConfigFile: (stack: string) => join(folder, `Pulumi.${stack}.yaml`),
}));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-config-change-"));
  errors = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
  writeFileSync(file(), "before");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, "Pulumi.dev.yaml");
const VERSION = { "kubernetes.version": "1.36.99" };
const RESTORED =
  "\nThe run ended before it changed a resource, and Pulumi.dev.yaml was restored, " +
  "without the change of kubernetes.version.\n";
const KEPT = "\nPulumi.dev.yaml keeps the change of kubernetes.version: the next run continues with it.\n";
const refused = new StepError({ step: "choose Kubernetes 1.36.99", cause: "it cannot be downloaded" });

async function change(
  work: (config: unknown, keep: () => void) => Promise<unknown>,
  { values = VERSION, signal }: { values?: ConfigChange; signal?: AbortSignal } = {},
): Promise<unknown> {
  const stack = fakeStack([], {
    getAllConfig: async () => ({ "kubewright:workers": { value: JSON.stringify({ count: values.count ?? 1 }) } }),
    setAllConfig: async () => writeFileSync(file(), "changed"),
    removeConfig: async (path: string) => writeFileSync(file(), `without ${path}`),
  });
  const session = fakeSession();
  return await withConfigChange({ stack, session: { ...session, ...(signal ? { signal } : {}) } }, values, work);
}

function expectFile(content: string, message: string): void {
  expect(readFileSync(file(), "utf8")).toBe(content);
  expect(errors).toBe(message);
}

test("values stay after a run that succeeds, without a message", async () => {
  expect(await change(async () => "result")).toBe("result");
  expectFile("changed", "");
});

test("a value that is refused before the engine starts does not stay", async () => {
  await expect(change(() => Promise.reject(refused))).rejects.toBe(refused);
  expectFile("before", RESTORED);
});

test("a value that the configuration refuses does not stay", async () => {
  const work = vi.fn();
  await expect(change(work, { values: { count: "many" } })).rejects.toThrow(/workers.count/);
  expect(work).not.toHaveBeenCalled();
  expectFile("before", RESTORED.replace("kubernetes.version", "count"));
});

test("values do not stay if the user declines", async () => {
  expect(await change(async () => undefined)).toBeUndefined();
  expectFile("before", RESTORED);
});

test("values do not stay after a run that failed before it changed a resource", async () => {
  await expect(change(() => Promise.reject(new CommandEnded(1, false, true)))).rejects.toBeInstanceOf(CommandEnded);
  expectFile("before", RESTORED);
});

test("values stay after a run that failed later, with a message", async () => {
  await expect(change(() => Promise.reject(new CommandEnded(1)))).rejects.toBeInstanceOf(CommandEnded);
  expectFile("changed", KEPT);
});

test("values stay if a run has changed the cluster, and what follows fails", async () => {
  const work = (_: unknown, keep: () => void) => (keep(), Promise.reject(refused));
  await expect(change(work)).rejects.toBe(refused);
  expectFile("changed", KEPT);
});

test("values stay after an interruption, with a message", async () => {
  const signal = AbortSignal.abort();
  await expect(change(async () => signal.throwIfAborted(), { signal })).rejects.toThrow();
  expectFile("changed", KEPT);
});

test("a property that is removed returns after a run that is refused", async () => {
  const values = { "kubernetes.canary": undefined };
  await expect(change(() => Promise.reject(refused), { values })).rejects.toBe(refused);
  expectFile("before", RESTORED.replace("kubernetes.version", "kubernetes.canary"));
  expect(await change(async () => "result", { values })).toBe("result");
  expect(readFileSync(file(), "utf8")).toBe("without kubernetes.canary");
});

test("properties are removed before others are set", async () => {
  await change(async () => "result", { values: { ...VERSION, "kubernetes.canary": undefined } });
  expectFile("changed", "");
});

test("a file that the change created is removed", async () => {
  rmSync(file());
  await expect(change(() => Promise.reject(refused))).rejects.toBe(refused);
  expect(existsSync(file())).toBe(false);
});

test("a failing run without changed values leaves the file, and prints nothing", async () => {
  const work = () => (writeFileSync(file(), "written by the run"), Promise.reject(refused));
  await expect(change(work, { values: {} })).rejects.toBe(refused);
  expectFile("written by the run", "");
});
