import "reflect-metadata";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, type Identity } from "../../../../provider/pki/x509";
import { kubeletJoinResource } from "../../../../provider/resources/kubelet-join";
import { BOOTSTRAP_KUBECONFIG, KUBELET_CA, KUBELET_KUBECONFIG } from "../../../../render/standalone-kubelet";
import { connectionTo } from "../../../support/connection";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", () => ({ waitUntilHealthy: vi.fn(async () => undefined) }));
vi.mock("../../../../provider/kubelet/discover", () => ({ discoverCa: vi.fn(async () => ca.certificate) }));
useFakeTime();

const SETTINGS = "/etc/kubernetes/kubelet.conf.d/20-cluster.conf";
const file = (content: string) => ({ content, mode: "0644" });

let ca: Identity;
let other: Identity;
beforeAll(async () => {
  ca = await createAuthority("kubernetes", 10);
  other = await createAuthority("kubernetes", 10);
});

/** A machine whose kubelet gets its certificate on a restart with a bootstrap kubeconfig, unless it is refused. */
class KubeletMachine extends MemoryMachine {
  patience = 1;
  refused = false;
  restarts = 0;
  /** The bootstrap kubeconfig at the last restart. */
  bootstrap = "";

  constructor() {
    super();
    this.on(/^systemctl restart kubelet$/, () => {
      this.restarts++;
      this.bootstrap = this.files.get(BOOTSTRAP_KUBECONFIG)?.content ?? "";
      if (this.bootstrap && !this.refused) this.files.set(KUBELET_KUBECONFIG, file("kubeconfig"));
      return "";
    });
    this.on(/^\[ -e/, () => (this.files.has(KUBELET_KUBECONFIG) ? "" : { code: 1 }));
  }
}

let machine: KubeletMachine;
let memory: MemoryApi;
beforeEach(() => {
  machine = new KubeletMachine();
  memory = new MemoryApi();
});

function contextOf() {
  const context = machine.context();
  context.kube.api = async () => memory.api;
  return context;
}
const inputs = (settings = "maxPods: 110\n") => ({
  ...machine.target,
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  node: "worker-1",
  clusterName: "demo",
  endpoint: "10.0.0.9:6443",
  caCertHash: caCertHash(ca.certificate),
  files: { [SETTINGS]: file(settings) },
  timeout: 60,
});
const recorded = () => ({ inputs: inputs(), outputs: {} });
const create = () => settle(kubeletJoinResource.create(contextOf(), inputs()));
const joinedTo = (authority: Identity) => {
  machine.files.set(KUBELET_KUBECONFIG, file("kubeconfig"));
  machine.files.set(KUBELET_CA, file(authority.certificate));
  machine.files.set(SETTINGS, file("maxPods: 110\n"));
};

describe("a join", () => {
  test("gives the kubelet the verified CA, its files and a kubeconfig with a token", async () => {
    expect(await create()).toEqual({ id: "a1/kubelet-join", outputs: {} });
    expect(machine.bootstrap).toMatch(/server: "?https:\/\/10\.0\.0\.9:6443/);
    expect(machine.bootstrap).toMatch(/token: "?[a-z0-9]{6}\.[a-z0-9]{16}/);
    expect(machine.files.get(KUBELET_CA)?.content).toBe(ca.certificate);
    expect(machine.files.get(SETTINGS)).toEqual(file("maxPods: 110\n"));
  });

  test("leaves no token behind, neither in the cluster nor on the machine", async () => {
    await create();
    expect(memory.calls).toContain("createNamespacedSecret");
    expect([...memory.secrets.keys()]).toEqual([]);
    expect(machine.files.has(BOOTSTRAP_KUBECONFIG)).toBe(false);
  });

  test("that fails names the commands that show why, and leaves no token behind", async () => {
    machine.refused = true;
    await expect(create()).rejects.toThrow(
      /TLS bootstrap of the kubelet failed on worker-1.*no certificate after 60 s; run `journalctl -u kubelet`/,
    );
    expect([...memory.secrets.keys()]).toEqual([]);
    expect(machine.files.has(BOOTSTRAP_KUBECONFIG)).toBe(false);
  });

  test("of a machine that has joined already needs no token and no restart", async () => {
    joinedTo(ca);
    await create();
    expect(memory.calls).toEqual([]);
    expect(machine.restarts).toBe(0);
  });

  test("of a member of another cluster is a new join", async () => {
    joinedTo(other);
    await create();
    expect(memory.calls).toContain("createNamespacedSecret");
    expect(machine.files.get(KUBELET_CA)?.content).toBe(ca.certificate);
  });
});

test("an update writes a changed file and restarts the kubelet, without another join", async () => {
  joinedTo(ca);
  await settle(kubeletJoinResource.update!(contextOf(), "id", inputs("maxPods: 50\n"), recorded()));
  expect(machine.files.get(SETTINGS)?.content).toBe("maxPods: 50\n");
  expect(machine.restarts).toBe(1);
  expect(memory.calls).toEqual([]);
});

test("an update removes a file that the join no longer has", async () => {
  joinedTo(ca);
  const dropped = { "/etc/old.conf": file("x") };
  machine.files.set("/etc/old.conf", dropped["/etc/old.conf"]);
  const old = { inputs: { ...inputs(), files: { ...inputs().files, ...dropped } }, outputs: {} };
  await settle(kubeletJoinResource.update!(contextOf(), "id", inputs(), old));
  expect(machine.files.has("/etc/old.conf")).toBe(false);
  expect(machine.restarts).toBe(1);
});

describe("a refresh", () => {
  const read = () => kubeletJoinResource.read!(contextOf(), "id", recorded());

  test("finds no drift on a member", async () => {
    joinedTo(ca);
    expect(await read()).toEqual(recorded());
  });

  test("finds that the kubelet has left the cluster", async () => {
    joinedTo(ca);
    machine.files.delete(KUBELET_KUBECONFIG);
    expect(await read()).toBeUndefined();
  });

  test("finds that the kubelet is a member of another cluster", async () => {
    joinedTo(other);
    expect(await read()).toBeUndefined();
  });
});

describe("a delete", () => {
  const remove = () => settle(kubeletJoinResource.delete!(contextOf(), "id", recorded()));

  test("removes what makes the kubelet a member, and leaves other files", async () => {
    joinedTo(ca);
    machine.files.set("/etc/kubernetes/manifests/x.yaml", file("pod"));
    await remove();
    expect([...machine.files.keys()]).toEqual(["/etc/kubernetes/manifests/x.yaml"]);
  });

  test("leaves a kubelet in another cluster that it has joined since", async () => {
    joinedTo(other);
    await remove();
    expect(machine.files.size).toBe(3);
    expect(machine.restarts).toBe(0);
  });

  test("removes what an interrupted join has left", async () => {
    joinedTo(ca);
    machine.files.delete(KUBELET_KUBECONFIG);
    await remove();
    expect(machine.files.size).toBe(0);
  });

  test("leaves a machine that was rebuilt as it is", async () => {
    joinedTo(ca);
    machine.instance = "b2";
    await remove();
    expect(machine.files.size).toBe(3);
  });
});
