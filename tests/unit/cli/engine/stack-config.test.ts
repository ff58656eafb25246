import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { changeStackConfig, poolNamed, poolOfCreated, readStackConfig } from "../../../../cli/engine/stack-config";
import { fakeStack } from "../fake-stack";

let folder: string;
let values: Record<string, string>;
vi.mock("../../../../cli/engine/paths", () => ({
  stackConfigFile: (stack: string) => join(folder, `Pulumi.${stack}.yaml`),
  backendUrl: () => "file:///nowhere",
  backendFolder: () => undefined,
  passphraseEnvironment: () => ({}),
}));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-stack-config-"));
  values = {};
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, "Pulumi.dev.yaml");
const stack = () =>
  fakeStack([], {
    getAllConfig: async () =>
      Object.fromEntries(Object.entries(values).map(([key, value]) => [`kubewright:${key}`, { value }])),
    setAllConfig: async (all: Record<string, { value: string }>) => {
      writeFileSync(file(), "changed");
      for (const [path, { value }] of Object.entries(all)) {
        const [section = "", property = ""] = path.split(".");
        values[section] = JSON.stringify({ [property]: Number(value) || value });
      }
    },
  });

test("a valid change is written, and the new configuration is returned", async () => {
  expect((await changeStackConfig(stack(), { "workers.count": 3 })).workers.count).toBe(3);
  expect(readFileSync(file(), "utf8")).toBe("changed");
});

test("an invalid change is refused, and the previous file is restored", async () => {
  writeFileSync(file(), "before");
  await expect(changeStackConfig(stack(), { "workers.count": "many" })).rejects.toThrow(/workers.count/);
  expect(readFileSync(file(), "utf8")).toBe("before");
});

test("a file that an invalid change created is removed", async () => {
  await expect(changeStackConfig(stack(), { "workers.count": "many" })).rejects.toThrow();
  expect(existsSync(file())).toBe(false);
});

test("an unknown pool is refused with the names of all pools", async () => {
  const config = await readStackConfig(stack());
  expect(poolNamed(config, "workers").name).toBe("workers");
  expect(() => poolNamed(config, "gpu")).toThrow(/there is no pool named gpu; use workers, or add it to `pools`/);
});

test("the pool of a created machine is found by the machine's name", async () => {
  const config = await readStackConfig(stack());
  expect(poolOfCreated(config, "worker-1")?.name).toBe("workers");
  expect(poolOfCreated(config, "control-plane-1")).toBeUndefined();
});
