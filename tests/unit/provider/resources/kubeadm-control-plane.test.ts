import "reflect-metadata";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { sha256 } from "../../../../provider/host/files";
import { applyManifests, type ManifestChange } from "../../../../provider/kubeadm/apply-manifests";
import { markRenewal } from "../../../../provider/kubeadm/renewal-mark";
import { withSigningFile } from "../../../../provider/kubeadm/signing-file";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { controlPlaneResource } from "../../../../provider/resources/kubeadm-control-plane";
import { COMPONENTS, ControlPlaneMachine, manifest } from "../../../support/control-plane-machine";

// Whether new pods are healthy is tested with applyManifests itself.
vi.mock("../../../../provider/kubeadm/apply-manifests", async (original) => ({
  ...(await original<object>()),
  applyManifests: vi.fn(),
}));

const MANIFESTS = "/etc/kubernetes/manifests";
const CONFIG = "/etc/kubernetes/kubewright-cluster.yaml";
const CERTIFICATE = "/etc/kubernetes/pki/apiserver.crt";

let certificate: string;
beforeAll(async () => {
  const ca = await createAuthority("kubernetes", 10);
  const subject = { commonName: "kube-apiserver", usages: ["server" as const], days: 365 };
  certificate = (await createCertificate(ca, { ...subject, dnsNames: ["api.dev.internal"] })).certificate;
});

let machine: ControlPlaneMachine;
let changes: ManifestChange[];
beforeEach(() => {
  machine = new ControlPlaneMachine();
  machine.files.set(CERTIFICATE, { content: certificate, mode: "0644" });
  changes = [];
  vi.mocked(applyManifests).mockImplementation(async (_context, _machine, change) => {
    changes.push(change);
    for (const { write, prove } of change.stages) {
      await write();
      await prove?.();
    }
  });
});

interface Flags {
  apiServer?: Record<string, string>;
  controllerManager?: Record<string, string>;
  names?: string[];
}

function inputs({ apiServer = {}, controllerManager = {}, names = ["api.dev.internal"] }: Flags = {}) {
  const argumentsOf = (flags: Record<string, string>) => ({
    extraArgs: Object.entries(flags).map(([name, value]) => ({ name, value })),
  });
  return {
    ...machine.target,
    node: "cp-2",
    documents: [
      { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "InitConfiguration", nodeRegistration: { name: "cp-2" } },
      {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        apiServer: { ...argumentsOf(apiServer), certSANs: names },
        controllerManager: argumentsOf(controllerManager),
      },
    ],
  };
}

const recorded = (flags?: Flags) => ({ inputs: inputs(flags), outputs: { manifests: {} as Record<string, string> } });
const create = (flags?: Flags) => controlPlaneResource.create(machine.context(), inputs(flags));
const update = (flags?: Flags) => controlPlaneResource.update!(machine.context(), "id", inputs(flags), recorded());
const read = (outputs: object) =>
  controlPlaneResource.read!(machine.context(), "id", { inputs: inputs(), outputs: outputs as never });

/** Writes the manifests that run, without Kubewright's resource: kubeadm has joined the machine. */
function running(flags: Flags = {}): void {
  const text = JSON.stringify(inputs(flags).documents[1]);
  const yaml = toConfig(text);
  for (const name of COMPONENTS) {
    const content = manifest(name, yaml).replace(/(- --initial-cluster=)(.*)\n/, (_, flag: string, own: string) => {
      return `${flag}cp-1=https://10.0.0.9:2380,${own}\n- --initial-cluster-state=existing\n`;
    });
    machine.files.set(`${MANIFESTS}/${name}.yaml`, { content, mode: "0600" });
  }
}

/** The YAML of a document, as the test's kubeadm parses it. */
function toConfig(json: string): string {
  const { apiServer, controllerManager } = JSON.parse(json) as Record<
    string,
    { extraArgs: { name: string; value: string }[] }
  >;
  const section = (name: string, { extraArgs }: { extraArgs: { name: string; value: string }[] }) =>
    `${name}:\n${extraArgs.map(({ name: key, value }) => `  - name: ${key}\n    value: "${value}"\n`).join("")}`;
  return section("apiServer", apiServer!) + section("controllerManager", controllerManager!);
}

describe("a control plane that runs as configured", () => {
  test("is taken over without a restart, also where kubeadm wrote etcd's member list for a join", async () => {
    running({ apiServer: { profiling: "false" } });
    const { id, outputs } = await create({ apiServer: { profiling: "false" } });
    expect(id).toBe("a1/control-plane");
    expect(changes).toEqual([]);
    expect(machine.placed).toEqual([]);
    const etcd = machine.files.get(`${MANIFESTS}/etcd.yaml`)?.content ?? "";
    expect(outputs).toMatchObject({ manifests: { etcd: sha256(etcd) } });
    expect(machine.files.get(CONFIG)).toMatchObject({ mode: "0600" });
  });

  test("keeps the time to start that it got from `timeouts.patience`, without a restart", async () => {
    running();
    for (const [path, { content, ...file }] of machine.files)
      machine.files.set(path, { ...file, content: content.replace("failureThreshold: 24", "failureThreshold: 240") });
    await create();
    expect(machine.placed).toEqual([]);
    await update({ apiServer: { profiling: "false" } });
    const { content } = machine.files.get(`${MANIFESTS}/kube-apiserver.yaml`) ?? {};
    expect(content).toMatch(/profiling=false[^]*failureThreshold: 240\n/);
  });

  test("shows no drift", async () => {
    running();
    const { outputs } = await create();
    expect(await read(outputs)).toEqual({ inputs: inputs(), outputs });
  });
});

describe("a changed flag", () => {
  test("restarts only the component that has it, on a control plane that joined too", async () => {
    running();
    await update({ apiServer: { profiling: "false" } });
    expect(machine.placed).toEqual([`${MANIFESTS}/kube-apiserver.yaml`]);
    // All are proved healthy, because an interrupted run may have restarted them.
    const [etcd, apiServer, ...clients] = COMPONENTS;
    const stages = [[etcd], [apiServer], clients].map((components) => ({ components }));
    expect(changes).toMatchObject([{ node: "cp-2", stages }]);
    expect(machine.files.get(CONFIG)?.content).toContain("profiling");
  });

  test("that is not healthy leaves the configuration on the machine as it was", async () => {
    running();
    vi.mocked(applyManifests).mockRejectedValue(new Error("unknown flag"));
    await expect(update({ apiServer: { oops: "1" } })).rejects.toThrow("unknown flag");
    expect(machine.files.has(CONFIG)).toBe(false);
  });
});

describe("the API balancers", () => {
  const events = () =>
    machine.scripts.flatMap((script) => {
      const [, answer, place] = /answer\.sh (drain|ready)|^set -e\nmv -fT.*(etcd|kube-\w+)/.exec(script) ?? [];
      return answer ?? place ?? [];
    });
  const change = (name: string) => {
    machine.files.set(`${MANIFESTS}/${name}.yaml`, { content: "edited\n", mode: "0600" });
    machine.scripts.length = 0;
  };
  beforeEach(() => {
    running();
    machine.on(/answer\.sh drain/, () => ({ code: 10 }));
  });

  test("do not use the control plane while its API server restarts", async () => {
    change("kube-apiserver");
    await update();
    expect(events()).toEqual(["drain", "kube-apiserver", "ready"]);
  });

  test("do not use it while etcd restarts", async () => {
    change("etcd");
    await update();
    expect(events()).toEqual(["drain", "etcd", "ready"]);
  });

  test("use it while its scheduler restarts", async () => {
    change("kube-scheduler");
    await update();
    expect(events()).toEqual(["kube-scheduler"]);
  });
});

describe("leader election", () => {
  test("is turned on before a second control plane joins", async () => {
    running({ controllerManager: { "leader-elect": "false" } });
    await update();
    expect(machine.placed).toEqual([`${MANIFESTS}/kube-controller-manager.yaml`]);
  });

  test("is never turned off: the other control planes still run while the cluster shrinks to one", async () => {
    running();
    await update({ controllerManager: { "leader-elect": "false" } });
    expect(machine.placed).toEqual([]);
  });
});

describe("certificates that end soon", () => {
  const AFTER = "2026-12-01T00:00:00.000Z";
  const changesAt = (time: string) =>
    controlPlaneResource.extraChanges!(
      inputs(),
      { inputs: inputs(), outputs: { manifests: {}, renewAfter: AFTER } },
      { ...machine.context(), clock: { now: () => Date.parse(time) } },
    );

  test("show as a change without a refresh, once their recorded time has come", async () => {
    expect(await changesAt("2026-11-30T23:59:59.000Z")).toEqual([]);
    expect(await changesAt(AFTER)).toEqual(["renewAfter"]);
  });

  const printAt = (days: number) => {
    const now = Math.floor(Date.now() / 1000) + days * 86_400;
    machine.on(/date \+%s/, () => `now ${now}\nfile ${CERTIFICATE}\n${certificate}`);
  };

  test("are a problem after a refresh, which also records the time", async () => {
    running();
    printAt(340);
    const { outputs } = await create().catch((error: unknown) => ({ outputs: { failure: String(error) } }));
    expect(outputs).toEqual({ failure: expect.stringContaining("kubeadm did not renew them") as string });
    const state = await read({ manifests: {} });
    expect(state?.inputs.problem).toMatch(/^certificate apiserver ends in 2[45] days$/);
    expect(state?.outputs.renewAfter).toMatch(/^20/);
  });

  test("are not there in a new certificate, whose time is recorded", async () => {
    running();
    printAt(0);
    const { outputs } = await create();
    expect(Math.round((Date.parse(String(outputs.renewAfter)) - Date.now()) / 86_400_000)).toBe(335);
    expect(changes).toEqual([]);
  });
});

describe("a refresh", () => {
  async function drift(change: () => void): Promise<unknown> {
    running();
    const { outputs } = await create();
    change();
    return (await read(outputs))?.inputs.problem;
  }

  test("finds an edited manifest", async () => {
    const path = `${MANIFESTS}/kube-scheduler.yaml`;
    expect(await drift(() => machine.files.set(path, { content: "edited", mode: "0600" }))).toBe(`${path} was changed`);
  });

  test("takes neither renewed certificates nor a rotation of CAs for an edit", async () => {
    const path = `${MANIFESTS}/kube-controller-manager.yaml`;
    const flag = "    - --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt\n";
    const plain = `metadata:\n  labels: {}\nspec:\n${flag}`;
    const rotated = markRenewal(withSigningFile(plain, true), "2027-01-01");
    running();
    const { outputs } = await create();
    for (const text of [plain, rotated]) {
      machine.files.set(path, { content: text, mode: "0600" });
      for (const hash of [sha256(plain), sha256(text)]) {
        const manifests = { ...(outputs.manifests as object), "kube-controller-manager": hash };
        expect((await read({ ...outputs, manifests }))?.inputs.problem).toBeUndefined();
      }
    }
  });

  test("finds a missing manifest", async () => {
    const path = `${MANIFESTS}/etcd.yaml`;
    expect(await drift(() => machine.files.delete(path))).toBe(`${path} is missing`);
  });

  test("finds a machine that is not a member of etcd, and believes no etcd that does not answer", async () => {
    const other = machine.members.replace("cp-2", "cp-9");
    expect(await drift(() => (machine.members = other))).toBe("cp-2 is not a member of etcd");
    expect(await drift(() => (machine.members = ""))).toBeUndefined();
  });

  test("finds names that the API server's certificate lacks", async () => {
    running();
    const { outputs } = await create();
    const old = { inputs: inputs({ names: ["api.dev.internal", "10.0.0.7"] }), outputs: outputs as never };
    const state = await controlPlaneResource.read!(machine.context(), "id", old);
    expect(state?.inputs.problem).toBe("the API server's certificate lacks 10.0.0.7");
  });
});
