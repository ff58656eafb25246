import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { staticPodResource } from "../../../../provider/resources/static-pod";
import { settle, useFakeTime } from "../../../support/fake-time";
import { ARRIVED, CONFIG, KEPT, KEY, KubeletMachine, MANIFEST, STATE } from "../../../support/kubelet-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/prove-static-pod", async (original) => ({
  ...(await original<object>()),
  proveStaticPod: async () => {
    if (machine.running?.includes("broken")) throw new StepError({ step: "starting etcd", cause: "it is not healthy" });
  },
}));
useFakeTime();

let machine: KubeletMachine;
beforeEach(() => void (machine = new KubeletMachine()));
const file = (content: string) => ({ content, mode: "0600" });
const FILES = { [CONFIG]: file("one"), [KEY]: file("secret") };
const inputs = (files: Record<string, { content: string; mode: string }> = FILES, image = "etcd:1") => ({
  ...machine.target,
  node: "cp-1",
  manifest: { apiVersion: "v1", kind: "Pod", metadata: { name: "etcd" }, spec: { containers: [{ image }] } },
  files,
  state: [STATE],
});
const recorded = () => ({ inputs: inputs(), outputs: {} });
const create = () => settle(staticPodResource.create(machine.context(), inputs()));
const update = (after: ReturnType<typeof inputs>) =>
  settle(staticPodResource.update!(machine.context(), "id", after, recorded()));
const remove = () => settle(staticPodResource.delete!(machine.context(), "id", recorded()));
const read = async () => (await staticPodResource.read!(machine.context(), "id", recorded()))?.inputs;

test("a pod's files and manifest are written, and its secrets are not in the manifest", async () => {
  expect(await create()).toEqual({ id: "a1/etcd", outputs: {} });
  expect([...machine.files.keys()].sort()).toEqual([CONFIG, KEY, MANIFEST].sort());
  expect(machine.files.get(MANIFEST)?.mode).toBe("0600");
  expect(machine.files.get(MANIFEST)?.content).toContain("etcd:1");
  expect(machine.files.get(MANIFEST)?.content).not.toContain("secret");
});

test("where a folder has the manifest's name, nothing is moved into it, and the write fails", async () => {
  await create();
  const script = machine.scripts.find((one) => one.includes("cmp -s")) ?? "";
  const root = mkdtempSync(join(tmpdir(), "kubewright-static-pod-"));
  try {
    mkdirSync(join(root, MANIFEST), { recursive: true });
    mkdirSync(join(root, ARRIVED, ".."), { recursive: true });
    writeFileSync(join(root, ARRIVED), "kind: Pod\n");
    const local = script
      .replaceAll("/etc/kubernetes", `${root}/etc/kubernetes`)
      .replaceAll("/var/lib", `${root}/var/lib`);
    expect(spawnSync("/bin/sh", ["-c", local]).status).not.toBe(0);
    expect(readdirSync(join(root, MANIFEST))).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("a changed file restarts the pod, and the update waits until the previous one has stopped", async () => {
  await create();
  await read();
  const before = machine.running;
  machine.lag = 4;
  await update(inputs({ ...FILES, [CONFIG]: file("two") }));
  expect(machine.running).toBe(machine.files.get(MANIFEST)?.content);
  expect(machine.running).not.toBe(before);
});

test("an update without a change of the manifest does not wait", async () => {
  await create();
  await read();
  await update(inputs());
  machine.scripts.length = 0;
  await update(inputs());
  expect(machine.scripts.filter((script) => script.includes("docker ps -q"))).toHaveLength(1);
});

test("a pod that does not stop fails the update, and the error names the kubelet's log", async () => {
  await create();
  await read();
  machine.lag = Infinity;
  await expect(update(inputs(FILES, "etcd:2"))).rejects.toThrow(
    /stopping etcd-cp-1 failed on worker-1.*: its containers are still running after 120 s; check `journalctl/,
  );
});

const health = { scheme: "HTTP" as const, port: 2381, path: "/health", timeout: 60 };
const broken = () => ({ ...inputs({ ...FILES, [CONFIG]: file("two") }, "etcd:broken"), health });
const change = (undo = () => undefined) =>
  settle(
    staticPodResource.update!(machine.context({ undo: vi.fn(undo) }), "id", broken(), {
      inputs: { ...inputs(), health },
      outputs: {},
    }),
  );

test("a pod that does not become healthy gets its previous files back, and the change is withdrawn", async () => {
  await create();
  await read();
  const before = machine.running;
  const undo = vi.fn();
  await expect(change(undo)).rejects.toThrow(
    /starting etcd failed.*not healthy\n.*\/manifests\/etcd.yaml\n.*etcd:1\n.*etcd:broken.*etcd is healthy again/s,
  );
  expect(machine.running).toBe(before);
  expect(machine.files.get(CONFIG)?.content).toBe("one");
  expect(machine.kept).toEqual([]);
  expect(undo).toHaveBeenCalledOnce();
});

test("the run after an interrupted one restores the files of before the interrupted one", async () => {
  await create();
  await read();
  for (const path of [MANIFEST, CONFIG, KEY]) machine.files.set(`${KEPT}${path}`, machine.files.get(path)!);
  machine.files.set(MANIFEST, file("kind: Pod # broken, and interrupted"));
  await expect(change()).rejects.toThrow("etcd is healthy again");
  expect(machine.files.get(MANIFEST)?.content).toContain("etcd:1");
});

test("a change that becomes healthy leaves no copies of the previous files", async () => {
  await create();
  await read();
  await update(inputs(FILES, "etcd:2"));
  expect(machine.kept).toEqual([]);
});

test("an update removes the files that are no longer configured", async () => {
  await create();
  await update(inputs({ [CONFIG]: file("one") }));
  expect([...machine.files.keys()].sort()).toEqual([CONFIG, MANIFEST].sort());
});

test("a refresh of a running pod reports no difference", async () => {
  await create();
  expect(await read()).toEqual(inputs());
});

test("a refresh reports a pod that does not run, and an edited file", async () => {
  await create();
  machine.lag = Infinity;
  machine.files.set(CONFIG, file("edited"));
  expect(await read()).toEqual({ ...inputs({ ...FILES, [CONFIG]: file("edited") }), problem: "not running" });
});

test("a refresh reports an edited manifest with its content", async () => {
  await create();
  const { content } = machine.files.get(MANIFEST)!;
  machine.files.set(MANIFEST, file(content.replace("etcd:1", "etcd:9")));
  expect((await read())?.manifest).toMatchObject({ spec: { containers: [{ image: "etcd:9" }] } });
});

test.each(["a: b: c: [", "{}", "- x", ""])("a refresh reports a manifest that is no pod: %j", async (content) => {
  await create();
  machine.files.set(MANIFEST, file(content));
  expect((await read())?.manifest).toEqual({ metadata: { name: "etcd" } });
});

test("a refresh reports a pod without a manifest as deleted, unless some of its files are left", async () => {
  await create();
  machine.files.delete(MANIFEST);
  machine.files.delete(CONFIG);
  expect(await staticPodResource.read!(machine.context(), "id", recorded())).toMatchObject({ unfinished: true });
  machine.files.delete(KEY);
  expect(await read()).toBeUndefined();
});

test("a delete removes the manifest, the files and the state", async () => {
  await create();
  machine.files.set("/etc/kubernetes/own.conf", file("x"));
  await remove();
  expect([...machine.files.keys()]).toEqual(["/etc/kubernetes/own.conf"]);
  expect(machine.emptied).toEqual([STATE]);
});

test("a delete keeps files and state as long as the pod runs", async () => {
  await create();
  await read();
  machine.lag = Infinity;
  await expect(remove()).rejects.toThrow("its containers are still running after 120 s");
  expect([...machine.files.keys()].sort()).toEqual([CONFIG, KEY].sort());
  expect(machine.emptied).toEqual([]);
});
