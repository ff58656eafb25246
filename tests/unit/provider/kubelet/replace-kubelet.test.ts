import { beforeEach, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { waitUntilUnitHealthy } from "../../../../provider/host/unit-health";
import { NO_PODS } from "../../../../provider/host/static-pods";
import { waitForNodeAfterOutage } from "../../../../provider/kubeadm/node-after-outage";
import { readAllPods } from "../../../../provider/kubeadm/prove-components";
import { proveNodeReported, wasReady } from "../../../../provider/kubelet/node-reported";
import { isReplacementUnfinished, replaceKubelet } from "../../../../provider/kubelet/replace-kubelet";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("../../../../provider/host/unit-health", () => ({ waitUntilUnitHealthy: vi.fn() }));
vi.mock("../../../../provider/kubeadm/node-after-outage", () => ({ waitForNodeAfterOutage: vi.fn() }));
vi.mock("../../../../provider/kubeadm/prove-components", () => ({ proveSamePods: vi.fn(), readAllPods: vi.fn() }));
vi.mock("../../../../provider/kubelet/node-reported", () => ({ proveNodeReported: vi.fn(), wasReady: vi.fn() }));

const PROGRAM = "/usr/local/bin/kubelet";
const STAGED = `${PROGRAM}.next`;
const FLAGS = "/var/lib/kubelet/kubeadm-flags.env";
const KEPT = "/var/lib/kubewright/before-kubelet-1.35.4";
const OLD_FLAGS = `KUBELET_KUBEADM_ARGS="--pod-infra-container-image=pause:3 --v=1"\n`;

let machine: MemoryMachine;
let started: string[];
let undone: boolean;
const content = (path: string) => machine.files.get(path)?.content;
const set = (path: string, text: string) => void machine.files.set(path, { content: text, mode: "0644" });
const move = (from: string, to: string) => {
  const file = machine.files.get(from);
  if (file) machine.files.set(to, file);
  machine.files.delete(from);
};

beforeEach(() => {
  started = [];
  undone = false;
  machine = new MemoryMachine();
  set(PROGRAM, "1.34.4");
  set(STAGED, "1.35.4");
  set(FLAGS, OLD_FLAGS);
  machine
    .on(/--version$/, () => `Kubernetes v${content(STAGED) ?? content(PROGRAM) ?? ""}\n`)
    .on(/>> .*complete$/, () => {
      if (machine.files.has(`${KEPT}/complete`)) return "";
      for (const path of [PROGRAM, FLAGS]) set(`${KEPT}${path}`, content(path) ?? "");
      set(`${KEPT}/complete`, "");
      return "";
    })
    .on(/\.kept"/, () => {
      for (const path of [PROGRAM, FLAGS]) set(path, content(`${KEPT}${path}`) ?? "");
      return "";
    })
    .on(/^rm -rf .*before-/, () => {
      for (const path of [...machine.files.keys()]) if (path.startsWith(KEPT)) machine.files.delete(path);
      return "";
    })
    .on(/kubelet\.next\.arriving/, () => {
      if (!machine.files.has(STAGED)) set(STAGED, content(PROGRAM) ?? "");
      return "";
    })
    .on(/systemctl restart/, (script) => {
      if (script.includes(`mv -fT ${STAGED}`) && machine.files.has(STAGED)) move(STAGED, PROGRAM);
      started.push(`${content(PROGRAM)} ${content(FLAGS)}`);
      return "";
    });
  vi.mocked(wasReady).mockResolvedValue(true);
  vi.mocked(readAllPods).mockResolvedValue(new Map());
  vi.mocked(waitForNodeAfterOutage).mockReset();
  vi.mocked(waitUntilUnitHealthy).mockReset();
  vi.mocked(proveNodeReported).mockReset();
});

const replace = (signal = new AbortController().signal, soak?: () => Promise<void>, usesKubeadm?: boolean) => {
  const context = machine.context({ undo: () => void (undone = true), signal });
  const kubelet = { name: "worker-1", controlPlanes: [], version: "1.35.4", soak, usesKubeadm };
  return replaceKubelet(context, context.connections.get(machine.connection), kubelet);
};
const unhealthy = () =>
  new StepError({ step: "starting kubelet.service", cause: "unknown flag: --oops", action: "see the journal" });

test("the staged kubelet starts without the flags that it does not accept, and must report its version", async () => {
  await replace();
  expect(started).toEqual(['1.35.4 KUBELET_KUBEADM_ARGS="--v=1"\n']);
  expect(machine.scripts.some((script) => script.includes("kubeadm upgrade node phase kubelet-config"))).toBe(true);
  expect(vi.mocked(proveNodeReported).mock.calls[0]?.slice(2)).toEqual([
    { name: "worker-1", controlPlanes: [], version: "1.35.4" },
    true,
  ]);
  expect([...machine.files.keys()].sort()).toEqual([PROGRAM, FLAGS].sort());
});

test("without kubeadm, the kubelet starts with the configuration that its unit has", async () => {
  await replace(undefined, undefined, false);
  expect(started).toEqual([`1.35.4 ${OLD_FLAGS}`]);
  expect(machine.scripts.filter((script) => script.includes("kubeadm upgrade"))).toEqual([]);
});

test("an unhealthy kubelet is put back with its flags, and stays staged for the next run", async () => {
  vi.mocked(waitUntilUnitHealthy).mockRejectedValueOnce(unhealthy());
  await expect(replace()).rejects.toThrow(
    /unknown flag: --oops\nThe changed files:[^]*--pod-infra[^]*kubelet \(1\.35\.4\)\nThe previous files were restored/,
  );
  expect(started).toEqual(['1.35.4 KUBELET_KUBEADM_ARGS="--v=1"\n', `1.34.4 ${OLD_FLAGS}`]);
  expect(content(STAGED)).toBe("1.35.4");
  expect(machine.files.has(`${KEPT}/complete`)).toBe(false);
  expect(undone).toBe(true);
});

test("a control plane's node is waited for after its kubelet is put back: static pods have restarted", async () => {
  for (const [pods, waits] of [[new Map(), 0] as const, [new Map([["etcd", NO_PODS]] as const), 1] as const]) {
    vi.mocked(readAllPods).mockResolvedValue(pods);
    vi.mocked(waitUntilUnitHealthy).mockRejectedValueOnce(unhealthy());
    await expect(replace()).rejects.toThrow("healthy again");
    expect(waitForNodeAfterOutage).toHaveBeenCalledTimes(waits);
  }
});

test("where the previous kubelet is not healthy either, the first error is reported", async () => {
  vi.mocked(waitUntilUnitHealthy).mockRejectedValue(unhealthy());
  await expect(replace()).rejects.toThrow(/unknown flag: --oops; see the journal/);
  expect(undone).toBe(false);
});

test("after an interruption, the next run continues and puts back what was there before the first", async () => {
  const abort = new AbortController();
  vi.mocked(waitUntilUnitHealthy).mockImplementationOnce(async () => {
    abort.abort(new Error("Ctrl-C"));
    abort.signal.throwIfAborted();
  });
  await expect(replace(abort.signal)).rejects.toThrow("Ctrl-C");
  expect(content(PROGRAM)).toBe("1.35.4");
  vi.mocked(waitUntilUnitHealthy).mockRejectedValueOnce(unhealthy());
  await expect(replace()).rejects.toThrow("The previous files were restored");
  expect(started.at(-1)).toBe(`1.34.4 ${OLD_FLAGS}`);
});

test("a kubelet of another version than the configured one is not started", async () => {
  set(STAGED, "1.36.3");
  await expect(replace()).rejects.toThrow(/kubelet\.next is Kubernetes v1\.36\.3, not Kubernetes v1\.35\.4; run/);
  expect(started).toEqual([]);
});

test("a kubelet with which the cluster does not stay healthy is put back", async () => {
  await expect(replace(undefined, () => Promise.reject(unhealthy()))).rejects.toThrow(
    /unknown flag[^]*The previous files were restored/,
  );
  expect(started.at(-1)).toBe(`1.34.4 ${OLD_FLAGS}`);
});

test("a replacement is unfinished until the cluster has stayed healthy", async () => {
  machine.on(/echo unfinished$/, () => (machine.files.has(`${KEPT}/complete`) ? "unfinished\n" : ""));
  const isUnfinished = () => isReplacementUnfinished(machine as never, "1.35.4", new AbortController().signal);
  let during: boolean | undefined;
  await replace(undefined, async () => void (during = await isUnfinished()));
  expect([during, await isUnfinished()]).toEqual([true, false]);
});
