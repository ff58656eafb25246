import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Connection } from "../../../../contracts/connection";
import type { KubeApi } from "../../../../provider/kube/api";
import type { Context } from "../../../../provider/rpc/handler";
import { applyManifests } from "../../../../provider/kubeadm/apply-manifests";
import { kubeletAuthorityResource as resource } from "../../../../provider/resources/kubelet-authority";
import type { Remote } from "../../../../provider/ssh/remote";
import { connectionTo } from "../../../support/connection";
import { ControlPlaneMachine } from "../../../support/control-plane-machine";
import { settle, useFakeTime } from "../../../support/fake-time";

const probe = vi.hoisted(() => vi.fn());
vi.mock("../../../../provider/ssh/tls-probe", () => ({ probeCertificate: probe }));
// Whether new pods are healthy is tested with applyManifests itself.
vi.mock("../../../../provider/kubeadm/apply-manifests", async (original) => ({
  ...(await original<object>()),
  applyManifests: vi.fn(),
}));
vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const PATH = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const FLAG = "    - --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt\n";
const WITHOUT = "    - kube-apiserver\n    - --kubelet-client-certificate=a\n";
const WITH = WITHOUT.replace("    - --kubelet", `${FLAG}    - --kubelet`);
const NODES = ["cp-1", "cp-2", "worker-1"];

let machines: Map<string, ControlPlaneMachine>;
let events: string[];
let readText: (connection: Connection, path: string) => Promise<string>;
let ready: string[];
beforeEach(() => {
  events = [];
  ready = NODES;
  machines = new Map(["cp-1", "cp-2"].map((name) => [name, new ControlPlaneMachine()]));
  for (const machine of machines.values()) machine.files.set(PATH, { content: WITHOUT, mode: "0600" });
  probe.mockReset();
  probe.mockResolvedValue(undefined);
  readText = async ({ name }, path) => {
    events.push(`${name} asks ${/nodes\/(\S+)\/proxy\/healthz/.exec(path)?.[1]}`);
    return "ok";
  };
  vi.mocked(applyManifests).mockImplementation(async (_context, _machine, { node, stages }) => {
    events.push(`${node} restarts`);
    for (const { write, prove } of stages) {
      await write();
      await prove?.();
    }
  });
});

const connections = ["cp-1", "cp-2"].map((name) => connectionTo({ host: name, name }));
const inputs = { controlPlanes: connections, nodes: ["cp-1", "cp-2"], caCertHash: "sha256:1" };
const flags = () => [...machines.values()].map((machine) => machine.files.get(PATH)?.content.includes(FLAG));

function contextOf(): Context {
  const context = new ControlPlaneMachine().context();
  context.connections.get = ({ name = "" }) =>
    Object.assign(machines.get(name) ?? new ControlPlaneMachine(), { connection: { name } }) as unknown as Remote;
  const items = NODES.map((name, index) => ({
    metadata: { name },
    status: {
      addresses: [{ type: "InternalIP", address: `10.0.0.${index + 1}` }],
      conditions: [{ type: "Ready", status: ready.includes(name) ? "True" : "Unknown" }],
    },
  }));
  const core = { listNode: async () => ({ items }) };
  context.kube.api = async () => ({ core, caCertificate: "ca", patience: 1 }) as unknown as KubeApi;
  context.kube.readText = (connection, path) => readText(connection, path);
  return context;
}
const create = () => settle(resource.create(contextOf(), inputs));
const adopt = () => settle(resource.adopt!(contextOf(), inputs));
const read = (more = {}) => settle(resource.read!(contextOf(), "id", { inputs: { ...inputs, ...more }, outputs: {} }));

describe("API servers that do not verify kubelets", () => {
  test("do so one after the other, and each one reaches all kubelets before the next one changes", async () => {
    await create();
    expect(flags()).toEqual([true, true]);
    const asks = (name: string) => NODES.map((node) => `${name} asks ${node}`);
    expect(events).toEqual(["cp-1 restarts", ...asks("cp-1"), "cp-2 restarts", ...asks("cp-2")]);
  });

  test("stay as they are while a kubelet serves another certificate, which is named", async () => {
    probe.mockImplementation(async (_machine: unknown, _port: number, { host }: { host: string }) =>
      host === "10.0.0.3" ? "DEPTH_ZERO_SELF_SIGNED_CERT" : undefined,
    );
    await expect(create()).rejects.toThrow("worker-1 (10.0.0.3): DEPTH_ZERO_SELF_SIGNED_CERT; nothing was changed");
    expect(flags()).toEqual([false, false]);
    expect(events).toEqual([]);
  });

  test("are changed by the run after their adoption", async () => {
    expect(await adopt()).toMatchObject({ isUnfinished: true });
    expect(flags()).toEqual([false, false]);
  });

  test("do not wait for a node that is not Ready", async () => {
    ready = ["cp-1", "cp-2"];
    await create();
    expect(events).not.toContain("cp-1 asks worker-1");
  });

  test("fail where the first one does not reach a kubelet, and the second one does not change", async () => {
    readText = (_connection, path) =>
      path.includes("worker-1") ? Promise.reject(new Error("HTTP 502")) : Promise.resolve("ok");
    await expect(create()).rejects.toThrow(/not reached after 60 s: worker-1; HTTP 502/);
    expect(flags()).toEqual([true, false]); // The real applyManifests restores the first one.
  });

  test("reach a kubelet that answers later", async () => {
    let answers = 0;
    readText = async () => {
      if (++answers < 5) throw new Error("HTTP 502");
      return "ok";
    };
    await create();
    expect(flags()).toEqual([true, true]);
  });
});

describe("API servers that verify kubelets", () => {
  beforeEach(() => {
    for (const machine of machines.values()) machine.files.set(PATH, { content: WITH, mode: "0600" });
  });

  test("do not restart, and are proved to reach them", async () => {
    await create();
    expect(events.filter((event) => event.endsWith("restarts"))).toEqual([]);
    expect(events).toHaveLength(6);
  });

  test("are adopted as they are", async () => {
    expect(await adopt()).toEqual({ id: "kubelet-authority", outputs: {}, isUnfinished: false });
    expect(events).toEqual([]);
  });

  test("show no drift", async () => {
    expect(await read({ problem: "x" })).toEqual({ inputs, outputs: {} });
  });
});

test("an API server that no longer verifies kubelets is drift", async () => {
  machines.get("cp-1")!.files.set(PATH, { content: WITH, mode: "0600" });
  expect((await read())?.inputs.problem).toMatch(/: the API server does not verify kubelets$/);
});
