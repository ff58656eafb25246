import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inventory, type Inventory } from "../support/docker-inventory";
import { TestStack } from "../support/test-stack";

/** Interrupts runs one after the other; the next run completes or removes what they have left. */
const stack = new TestStack("e2e-interrupted");
const isOurs = (name: string) => name.includes("e2e-interrupted");
let before: Inventory;

beforeAll(async () => {
  await stack.down();
  before = await inventory(isOurs);
});
afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

/** Starts `npm start` and interrupts it when its output matches. */
async function interrupt(
  when: RegExp,
  how: (pid: number) => void,
): Promise<{ code: number | undefined; signal: string | undefined; text: string }> {
  let text = "";
  let interrupted = false;
  const { child } = await stack.startUp((chunk) => {
    text += chunk;
    if (interrupted || !when.test(text)) return;
    interrupted = true;
    how(child.pid ?? 0);
  });
  const { exitCode, signal } = await child;
  return { code: exitCode, signal, text };
}

test("Ctrl-C while binaries are copied stops the run with the next command", async () => {
  const { code, text } = await interrupt(/-binaries: creating/, (pid) => process.kill(pid, "SIGINT"));
  expect(code, text).toBe(130);
  expect(text).toMatch(/`npm start .*` continues from here/);
});

test("SIGKILL of all processes ends a run during kubeadm init", async () => {
  const { signal, text } = await interrupt(/kubeadm init: /, (pid) => process.kill(-pid, "SIGKILL"));
  expect(signal, text).toBe("SIGKILL");
});

test("the next run completes the cluster", async () => {
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  expect(text.match(/ Ready /g)).toHaveLength(3);
  expect((await stack.up()).text).toContain("Nothing to change");
});

test("npm run down removes the machines of a lost state", async () => {
  rmSync(stack.stateFolder, { recursive: true });
  rmSync(stack.configFile, { force: true });
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(text).toMatch(/removed leftovers of an interrupted run: 3 containers/);
  expect(await inventory(isOurs)).toEqual(before);
  expect(() => readFileSync(`${stack.stackFolder}/id_ed25519`)).toThrow();
});
