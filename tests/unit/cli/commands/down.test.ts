import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run } from "../../../../cli/commands/down";
import { CommandEnded } from "../../../../cli/engine/session";
import type { Options } from "../../../../cli/terminal/options";
import { fakeSession, fakeStack } from "../fake-stack";

const confirm = vi.hoisted(() => vi.fn<(question: string) => Promise<boolean>>());
const runOperation = vi.hoisted(() => vi.fn<() => Promise<unknown>>());
const removeStack = vi.hoisted(() => vi.fn(async (_id: string) => ({ containers: 0 })));
const removed = vi.fn(async () => undefined);
let folder: string;
let stack: Stack | undefined;
let session: ReturnType<typeof fakeSession>;

vi.mock("../../../../cli/terminal/prompt", () => ({ confirm }));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation }));
vi.mock("../../../../provider/docker/remove-stack", () => ({ removeStack }));
vi.mock("../../../../provider/vagrant/machines", () => ({ destroyFolder: async () => 0 }));
vi.mock("../../../../cli/engine/paths", () => ({
  stackFolder: (name: string) => join(folder, name),
  removeSecretsProvider: () => undefined,
}));
vi.mock("../../../../cli/engine/workspace", () => ({
  prepareEngine: async () => ({}),
  findStack: async () => stack,
  isKnownMissing: () => stack === undefined,
}));
vi.mock("../../../../cli/engine/session", () => ({
  CommandEnded: class extends Error {},
  withSession: async (_stack: string, work: (one: unknown) => Promise<number>) => await work(session),
}));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-down-"));
  mkdirSync(join(folder, "lab"));
  const outputs = async () => ({ stackId: { value: "id", secret: false } });
  stack = fakeStack([], { outputs, workspace: { removeStack: removed } });
  session = fakeSession();
  for (const mock of [confirm, runOperation, removeStack, removed]) mock.mockClear();
  confirm.mockResolvedValue(true);
  runOperation.mockResolvedValue({});
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const options = (...flags: string[]): Options => ({
  stack: "lab",
  config: {},
  flags: new Set(flags),
  values: {},
  words: [],
});

test("asks before anything is deleted, and deletes nothing after a no", async () => {
  confirm.mockResolvedValue(false);
  expect(await run(options())).toBe(1);
  expect(confirm.mock.lastCall?.[0]).toBe("Delete stack lab?");
  expect(runOperation).not.toHaveBeenCalled();
  expect(existsSync(join(folder, "lab"))).toBe(true);
});

test("with --yes destroys the resources, the leftovers and the stack without a question", async () => {
  removeStack.mockResolvedValueOnce({ containers: 2 });
  expect(await run(options("yes"))).toBe(0);
  expect(confirm).not.toHaveBeenCalled();
  expect(runOperation).toHaveBeenCalledWith(stack, "destroy", session);
  expect(removeStack.mock.lastCall?.[0]).toBe("id");
  expect(session.lines).toContain("removed leftovers of an interrupted run: 2 containers");
  expect(removed).toHaveBeenCalledWith("lab", { force: false, preserveConfig: true });
  expect(existsSync(join(folder, "lab"))).toBe(false);
});

test("a stack that does not exist needs no question, and is not reported as deleted", async () => {
  rmSync(join(folder, "lab"), { recursive: true });
  stack = undefined;
  expect(await run(options())).toBe(0);
  expect(vi.mocked(process.stdout.write).mock.calls.join()).toContain('Stack "lab" does not exist');
  expect(confirm).not.toHaveBeenCalled();
});

test("a destroy that fails keeps the stack, and names --force", async () => {
  runOperation.mockRejectedValue(new CommandEnded(1));
  await expect(run(options("yes"))).rejects.toBeInstanceOf(CommandEnded);
  expect(removed).not.toHaveBeenCalled();
  expect(vi.mocked(process.stderr.write).mock.calls.join()).toContain("`npm run down -- --force --stack lab`");
});

test("with --force a stack that another run has locked is kept", async () => {
  runOperation.mockRejectedValue(Object.assign(new CommandEnded(1), { isLocked: true }));
  await expect(run(options("yes", "force"))).rejects.toBeInstanceOf(CommandEnded);
  expect([removed.mock.calls, removeStack.mock.calls]).toEqual([[], []]);
});

test("with --force a destroy that fails does not keep the stack", async () => {
  runOperation.mockRejectedValue(new Error("worker-1 does not answer"));
  expect(await run(options("yes", "force"))).toBe(0);
  expect(session.lines).toContain("continuing although the destroy failed: worker-1 does not answer");
  expect(removed).toHaveBeenCalledWith("lab", { force: true, preserveConfig: true });
});
