import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { binariesResource } from "../../../../provider/resources/binaries";
import { MemoryMachine } from "../../../support/memory-machine";

const KUBELET = "/usr/bin/kubelet";
const KUBECTL = "/usr/bin/kubectl";
const hash = (content: string) => createHash("sha256").update(content).digest("hex");

let folder: string;
let machine: MemoryMachine;
beforeEach(async () => {
  machine = new MemoryMachine();
  folder = await mkdtemp(join(tmpdir(), "kubewright-binaries-"));
  await writeFile(join(folder, "kubelet"), "kubelet 1");
  await writeFile(join(folder, "kubectl"), "kubectl 1");
});
afterEach(() => rm(folder, { recursive: true }));

function inputs(...names: string[]) {
  const hashes = names.map((name) => [name, hash(`${name} 1`)] as const);
  return {
    ...machine.target,
    files: Object.fromEntries(hashes.map(([name, sha256]) => [`/usr/bin/${name}`, sha256])),
    sources: Object.fromEntries(hashes.map(([name, sha256]) => [sha256, join(folder, name)])),
  };
}
const recorded = (...names: string[]) => ({ inputs: inputs(...names), outputs: {} });
const create = (...names: string[]) => binariesResource.create(machine.context(), inputs(...names));
const read = async (...names: string[]) =>
  (await binariesResource.read!(machine.context(), "id", recorded(...names)))?.inputs;

test("binaries are copied from the cache, and can be executed", async () => {
  await create("kubelet", "kubectl");
  expect(machine.files.get(KUBELET)).toEqual({ content: "kubelet 1", mode: "0755" });
  expect(machine.files.get(KUBECTL)).toEqual({ content: "kubectl 1", mode: "0755" });
});

test("a binary that was deleted from the cache fails the copy before the machine is changed", async () => {
  await rm(join(folder, "kubectl"));
  await expect(create("kubelet", "kubectl")).rejects.toThrow(
    /copying binaries failed on worker-1.*kubectl is not in the user's cache.*; run the command again without --target/,
  );
  expect(machine.files.size).toBe(0);
});

test("a binary without a source is named in the error", async () => {
  const lost = { ...inputs("kubelet"), sources: {} };
  await expect(binariesResource.create(machine.context(), lost)).rejects.toThrow("kubelet is not in the user's");
});

test("a refresh reports binaries that were replaced, deleted or made not executable", async () => {
  await create("kubelet", "kubectl");
  expect(await read("kubelet", "kubectl")).toEqual(inputs("kubelet", "kubectl"));
  machine.files.set(KUBELET, { content: "other", mode: "0755" });
  machine.files.set(KUBECTL, { content: "kubectl 1", mode: "0644" });
  expect(await read("kubelet", "kubectl")).toMatchObject({
    files: { [KUBELET]: hash("other"), [KUBECTL]: "mode 0644, not 0755" },
  });
  machine.files.delete(KUBELET);
  expect((await read("kubelet", "kubectl"))?.files).toEqual({ [KUBECTL]: "mode 0644, not 0755" });
  machine.files.delete(KUBECTL);
  expect(await read("kubelet", "kubectl")).toBeUndefined();
});

test("an update removes the binaries that are no longer configured", async () => {
  await create("kubelet", "kubectl");
  await binariesResource.update!(machine.context(), "id", inputs("kubelet"), recorded("kubelet", "kubectl"));
  expect([...machine.files.keys()]).toEqual([KUBELET]);
});

describe("a binary that another resource puts into place", () => {
  const CONF = "/etc/kubernetes/kubelet.conf";
  const staged = { paths: [KUBELET], whileExists: CONF };
  const old = hash("kubelet 0");
  const update = () => {
    const files = { ...inputs("kubelet", "kubectl"), staged };
    const before = { ...files, files: { ...files.files, [KUBELET]: old } };
    return binariesResource.update!(machine.context(), "id", files, { inputs: before, outputs: {} });
  };
  const refresh = async () =>
    (await binariesResource.read!(machine.context(), "id", { inputs: { ...inputs("kubelet"), staged }, outputs: {} }))
      ?.inputs.files;
  beforeEach(() => void machine.files.set(KUBELET, { content: "kubelet 0", mode: "0755" }));

  test("is staged beside the current one while the file of its use exists, and is no drift", async () => {
    machine.files.set(CONF, { content: "", mode: "0600" });
    await update();
    expect(machine.files.get(KUBELET)?.content).toBe("kubelet 0");
    expect(machine.files.get(`${KUBELET}.next`)).toEqual({ content: "kubelet 1", mode: "0755" });
    expect(machine.files.get(KUBECTL)?.content).toBe("kubectl 1");
    expect(await refresh()).toEqual({ [KUBELET]: hash("kubelet 1") });
    machine.files.delete(`${KUBELET}.next`);
    expect(await refresh()).toEqual({ [KUBELET]: old });
  });

  test("is written directly where it is not in use", async () => {
    await update();
    expect(machine.files.get(KUBELET)?.content).toBe("kubelet 1");
    expect(machine.files.has(`${KUBELET}.next`)).toBe(false);
  });

  test("no longer waits where the current one is the configured one again", async () => {
    machine.files.set(CONF, { content: "", mode: "0600" });
    machine.files.set(KUBELET, { content: "kubelet 1", mode: "0755" });
    machine.files.set(`${KUBELET}.next`, { content: "kubelet 2", mode: "0755" });
    await update();
    expect(machine.files.has(`${KUBELET}.next`)).toBe(false);
    expect(machine.files.get(KUBELET)?.content).toBe("kubelet 1");
  });
});

test("a delete removes the binaries, and no others", async () => {
  await create("kubelet", "kubectl");
  await binariesResource.delete!(machine.context(), "id", recorded("kubelet"));
  expect([...machine.files.keys()]).toEqual([KUBECTL]);
});

test("a delete leaves a rebuilt machine alone", async () => {
  await create("kubelet");
  machine.instance = "b2";
  await binariesResource.delete!(machine.context(), "id", recorded("kubelet"));
  expect([...machine.files.keys()]).toEqual([KUBELET]);
});
