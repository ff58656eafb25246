import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inventory, type Inventory } from "../support/docker-inventory";
import { TestStack } from "../support/test-stack";

/**
 * Runs that are cut off, one after the other, each where it hurts; what is left is completed, or removed, by the next.
 */
const stack = new TestStack("e2e-interrupted");
const ours = (name: string) => name.includes("e2e-interrupted");
let before: Inventory;

beforeAll(async () => {
  await stack.down();
  before = await inventory(ours);
});
afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

async function cutOff(
  where: RegExp,
  how: (pid: number) => void,
): Promise<{ code: number | undefined; signal: string | undefined; text: string }> {
  let text = "";
  let done = false;
  const { child } = await stack.running((more) => {
    text += more;
    if (done || !where.test(text)) return;
    done = true;
    how(child.pid ?? 0);
  });
  const { exitCode, signal } = await child;
  return { code: exitCode, signal, text };
}

test("Ctrl-C while machines are made: stops well, and says how to go on", async () => {
  const { code, text } = await cutOff(/-binaries: creating/, (pid) => process.kill(pid, "SIGINT"));
  expect(code, text).toBe(130);
  expect(text).toMatch(/`npm start .*` continues from here/);
});

test("SIGKILL of everything in the middle of kubeadm init", async () => {
  const { signal, text } = await cutOff(/kubeadm init: /, (pid) => process.kill(-pid, "SIGKILL"));
  expect(signal, text).toBe("SIGKILL");
});

test("the next run completes what both have left", async () => {
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  expect(text.match(/ Ready /g)).toHaveLength(3);
  expect((await stack.up()).text).toContain("Nothing to change");
});

test("npm run down removes the machines although the state is lost", async () => {
  rmSync(stack.stateFolder, { recursive: true });
  rmSync(stack.configFile, { force: true });
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(text).toMatch(/removed leftovers of an interrupted run: 3 containers/);
  expect(await inventory(ours)).toEqual(before);
  expect(() => readFileSync(`${stack.stackFolder}/id_ed25519`)).toThrow();
});
