import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { applyManifests, type ManifestChange } from "../../../../provider/kubeadm/apply-manifests";
import { waitForNodeAfterOutage } from "../../../../provider/kubeadm/node-after-outage";
import type * as health from "../../../../provider/host/health";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { settle, useFakeTime } from "../../../support/fake-time";
import { StaticPodMachine, manifestOf } from "../../../support/static-pod-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", async (original) => ({
  ...(await original<typeof health>()),
  probeHealth: async (machine: StaticPodMachine, endpoint: health.Endpoint) => machine.probe(endpoint),
}));
vi.mock("../../../../provider/kubeadm/node-after-outage", () => ({ waitForNodeAfterOutage: vi.fn() }));
useFakeTime();

const CERTIFICATE = "/etc/kubernetes/pki/apiserver.crt";
const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

let machine: StaticPodMachine;
let messages: string[];
let warnings: string[];
let isRecorded: boolean;
let abort: AbortController;
beforeEach(() => {
  vi.mocked(waitForNodeAfterOutage).mockReset();
  machine = new StaticPodMachine();
  for (const component of COMPONENTS) machine.write(component, manifestOf(component));
  messages = [];
  warnings = [];
  isRecorded = true;
  abort = new AbortController();
});

/** Writes manifests as kubeadm does, with one flag per component. */
function changeOf(flags: Partial<Record<(typeof COMPONENTS)[number], string>>): ManifestChange {
  const write = async (...components: (typeof COMPONENTS)[number][]) => {
    for (const name of components) machine.write(name, manifestOf(name, ...(flags[name] ? [flags[name]] : [])));
  };
  return {
    node: "cp-1",
    files: [CERTIFICATE],
    stages: [
      { components: ["etcd"], write: () => write("etcd") },
      { components: COMPONENTS.slice(1), write: () => write(...COMPONENTS.slice(1)) },
    ],
  };
}

const uidOf = (manifest: string) => createHash("md5").update(manifest).digest("hex");

async function apply(flags: Parameters<typeof changeOf>[0]): Promise<string | undefined> {
  return await run(changeOf(flags));
}

async function run(change: ManifestChange): Promise<string | undefined> {
  const context = machine.context({
    signal: abort.signal,
    status: (message) => void messages.push(message),
    warn: (message) => void warnings.push(message),
    undo: () => void (isRecorded = false),
    settings: { ...DEFAULT_SETTINGS, healthySeconds: 60 },
  });
  try {
    await settle(applyManifests(context, context.connections.get(machine.connection), change));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("changed components are proved healthy in their order, and no copies stay", async () => {
  expect(await apply({ etcd: "--one", "kube-apiserver": "--two" })).toBeUndefined();
  expect(machine.history.slice(-2)).toEqual([
    `etcd: ${manifestOf("etcd", "--one")}`,
    `kube-apiserver: ${manifestOf("kube-apiserver", "--two")}`,
  ]);
  expect(machine.keptFiles).toEqual([]);
  expect(isRecorded).toBe(true);
});

test("a component is healthy only once the kubelet has replaced its pod", async () => {
  machine.lag = 20;
  expect(await apply({ "kube-apiserver": "--two" })).toBeUndefined();
  expect(machine.history.at(-1)).toContain("--two");
  expect(messages).toContain("waiting for kube-apiserver to become healthy: the previous pod still runs");
});

test("a flag that the API server refuses is put back, and the error has its log and the changed line", async () => {
  const started = Date.now();
  const failure = await apply({ "kube-apiserver": "--no-such-flag=1" });
  expect(Date.now() - started).toBeLessThan(30_000);
  expect(failure).toMatch(/^starting kube-apiserver failed on worker-1 \(10.0.0.1\): its container keeps exiting/);
  expect(failure).toContain("\nError: unknown flag: --no-such-flag\n");
  expect(failure).toContain("/etc/kubernetes/manifests/kube-apiserver.yaml\n+     - --no-such-flag=1\n");
  expect(failure).toContain("The previous files were restored, and kube-apiserver is healthy again; correct");
  expect(machine.manifest("kube-apiserver")).toBe(manifestOf("kube-apiserver"));
  expect(machine.history.at(-1)).toBe(`kube-apiserver: ${manifestOf("kube-apiserver")}`);
  // The next preview shows the change again.
  expect(isRecorded).toBe(false);
  expect(machine.keptFiles).toEqual([]);
});

test("the node is waited for once the previous files work and the change is withdrawn", async () => {
  vi.mocked(waitForNodeAfterOutage).mockImplementation(async () => {
    expect(machine.history.at(-1)).toBe(`kube-apiserver: ${manifestOf("kube-apiserver", "--two")}`);
    expect(machine.keptFiles).toEqual([]);
    expect(isRecorded).toBe(false);
  });
  expect(await apply({ "kube-apiserver": "--two" })).toBeUndefined();
  expect(waitForNodeAfterOutage).not.toHaveBeenCalled();
  expect(await apply({ "kube-apiserver": "--no-such-flag=1" })).toContain("kube-apiserver is healthy again");
  expect(waitForNodeAfterOutage).toHaveBeenCalledOnce();
});

/** Without it, the kubelet waits for an API server that cannot answer, before it starts etcd. */
test("the API server restarts once etcd has stopped, so that the kubelet does not wait for it", async () => {
  machine.lag = 2;
  machine.gap = 3;
  expect(await apply({ etcd: "--one" })).toBeUndefined();
  expect(machine.killed).toEqual([uidOf(manifestOf("kube-apiserver"))]);
  machine.killed.length = 0;
  expect(await apply({ etcd: "--one", "kube-apiserver": "--two" })).toBeUndefined();
  expect(machine.killed).toEqual([]);
});

test("the API server also restarts while etcd is put back", async () => {
  machine.gap = 3;
  const failure = await apply({ etcd: "--unhealthy" });
  expect(failure).toContain("etcd is healthy again");
  expect(machine.killed).toHaveLength(2);
});

test("a flag that etcd refuses is put back before the API server is touched", async () => {
  const failure = await apply({ etcd: "--no-such-flag=1", "kube-apiserver": "--two" });
  expect(failure).toMatch(/starting etcd failed.*The previous files were restored, and etcd is healthy again/s);
  expect(machine.history.filter((one) => one.startsWith("kube-apiserver"))).toHaveLength(1);
});

test("a flag is put back although the kubelet is slow to start the failed component again", async () => {
  machine.restarts = false;
  const started = Date.now();
  expect(await apply({ etcd: "--no-such-flag=1" })).toMatch(/keeps exiting \(exits: 1\).*etcd is healthy again/s);
  expect(Date.now() - started).toBeLessThan(40_000);
});

test("a component that runs but does not answer is put back at the deadline", async () => {
  const failure = await apply({ "kube-scheduler": "--unhealthy" });
  expect(failure).toContain("it is not healthy after 60 s: HTTP 500: [-]etcd failed");
  expect(machine.manifest("kube-scheduler")).toBe(manifestOf("kube-scheduler"));
});

test("a certificate that was replaced is restored with the manifest", async () => {
  machine.files.set(CERTIFICATE, { content: "old", mode: "0644" });
  const write = changeOf({ "kube-apiserver": "--no-such-flag" }).stages[1]!.write;
  const stages = [
    {
      components: ["kube-apiserver" as const],
      write: async () => {
        machine.files.set(CERTIFICATE, { content: "new", mode: "0644" });
        await write();
      },
    },
  ];
  const context = machine.context();
  const change = { ...changeOf({}), stages };
  const applied = settle(applyManifests(context, context.connections.get(machine.connection), change));
  await expect(applied).rejects.toThrow("healthy again");
  expect(machine.files.get(CERTIFICATE)?.content).toBe("old");
});

test("a control plane that is unhealthy with its previous files too fails with the first error", async () => {
  machine.broken = /-/; // every manifest
  const failure = await apply({ "kube-apiserver": "--no-such-flag" });
  expect(failure).toContain("starting etcd failed");
  expect(failure).not.toContain("restored");
  expect(isRecorded).toBe(true);
  expect(waitForNodeAfterOutage).not.toHaveBeenCalled();
});

test("an unhealthy component fails the change even where its manifest stays the same", async () => {
  machine.broken = /kube-scheduler/;
  expect(await apply({})).toMatch(/starting kube-scheduler failed .*keeps exiting/);
});

test("the next run restores what was there before an interrupted one", async () => {
  const interrupted = apply({ "kube-apiserver": "--no-such-flag" });
  machine.broken = /never/;
  machine.lag = Infinity;
  setTimeout(() => abort.abort(new Error("interrupted")), 20_000);
  expect(await interrupted).toBe("interrupted");
  expect(machine.manifest("kube-apiserver")).toContain("--no-such-flag");
  [machine.lag, machine.broken, abort] = [0, /no-such-flag/, new AbortController()];
  expect(await apply({ "kube-apiserver": "--no-such-flag" })).toContain("kube-apiserver is healthy again");
  expect(machine.manifest("kube-apiserver")).toBe(manifestOf("kube-apiserver"));
});

test("a next run with a good value after an interrupted one succeeds", async () => {
  const interrupted = apply({ "kube-apiserver": "--no-such-flag" });
  machine.lag = Infinity;
  setTimeout(() => abort.abort(new Error("interrupted")), 20_000);
  expect(await interrupted).toBe("interrupted");
  [machine.lag, abort] = [0, new AbortController()];
  expect(await apply({ "kube-apiserver": "--two" })).toBeUndefined();
  expect(machine.keptFiles).toEqual([]);
});

describe("an etcd of another minor version", () => {
  const etcdOf = (version: string, ...flags: string[]) =>
    manifestOf("etcd", ...flags).replace("    name:", `    image: registry.k8s.io/etcd:${version}-0\n    name:`);
  const status = (...versions: string[]) => JSON.stringify(versions.map((version) => ({ Status: { version } })));
  let statuses: string;
  beforeEach(() => {
    machine.write("etcd", etcdOf("3.6.8"));
    statuses = status("3.7.0");
    machine.on(/endpoint status --cluster/, () => statuses);
  });

  /** Writes etcd of another version, and then an API server with a flag. */
  async function change(etcd: string, flag: string): Promise<string | undefined> {
    const others = changeOf({ "kube-apiserver": flag });
    const write = async () => machine.write("etcd", etcd);
    const stages = [{ components: ["etcd" as const], write }, ...others.stages.slice(1)];
    return await run({ node: others.node, stages });
  }

  test("is not put back where it has changed the data: only the API server is", async () => {
    const failure = await change(etcdOf("3.7.0"), "--no-such-flag=1");
    expect(failure).toContain("The previous files were restored, and kube-apiserver is healthy again; fix the cause");
    expect(failure).toMatch(/etcd keeps its new version: etcd 3\.6\.8 cannot read the data of etcd 3\.7\.0$/);
    expect(failure).not.toContain("etcd.yaml");
    expect(machine.manifest("etcd")).toBe(etcdOf("3.7.0"));
    expect(machine.manifest("kube-apiserver")).toBe(manifestOf("kube-apiserver"));
    expect(isRecorded).toBe(false);
    expect(machine.keptFiles).toEqual([]);
  });

  test("is put back while another member has the version before, which has not changed the data", async () => {
    statuses = status("3.7.0", "3.6.8");
    expect(await change(etcdOf("3.7.0"), "--no-such-flag=1")).toContain("etcd and kube-apiserver is healthy again");
    expect(machine.manifest("etcd")).toBe(etcdOf("3.6.8"));
  });

  test("is put back where it does not answer; if that fails, the error names the snapshot", async () => {
    statuses = "";
    expect(await change(etcdOf("3.7.0", "--no-such-flag=1"), "--two")).toContain("etcd is healthy again");
    machine.broken = /etcd/;
    const failure = await change(etcdOf("3.7.0"), "--two");
    expect(failure).toContain("cannot return to its previous version: etcd 3.6.8 cannot read the data of etcd 3.7.0");
    expect(failure).toMatch(/snapshot from before the upgrade in \/var\/lib\/kubewright\/etcd-snapshots with/);
  });

  test("of a patch release is put back", async () => {
    const failure = await change(etcdOf("3.6.9"), "--no-such-flag=1");
    expect(failure).toContain("etcd and kube-apiserver is healthy again");
    expect(machine.manifest("etcd")).toBe(etcdOf("3.6.8"));
  });
});
