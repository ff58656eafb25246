import "reflect-metadata";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type * as health from "../../../../provider/host/health";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { kubeadmInitResource } from "../../../../provider/resources/kubeadm-init";
import type { RunOptions } from "../../../../provider/ssh/remote";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { StaticPodMachine, manifestOf } from "../../../support/static-pod-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", async (original) => ({
  ...(await original<typeof health>()),
  probeHealth: async (one: StaticPodMachine, endpoint: health.Endpoint) => one.probe(endpoint),
}));
useFakeTime();

const CONFIG = "/etc/kubernetes/kubewright-cluster.yaml";
const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const RESET = /kubeadm reset --force/;

/** A machine whose `kubeadm init` fails with `failure` or succeeds. Its init phases give `changed` the `flag`. */
class InitMachine extends StaticPodMachine {
  readonly inputs: string[] = [];
  progress = "none";
  failure: string | undefined;
  changed: string | undefined;
  flag = "--v=3";

  constructor() {
    super();
    for (const component of COMPONENTS) this.write(component, manifestOf(component));
    this.on(/init\.done \] && \[ -e/, () => this.progress);
    this.on(/kubeadm init phase/, (script) => {
      if (this.changed !== undefined && script.includes(this.changed === "etcd" ? "etcd" : "control-plane all"))
        this.write(this.changed, manifestOf(this.changed, this.flag));
      return "";
    });
  }

  override async run(script: string, options: RunOptions) {
    if (!script.includes("kubeadm init --config")) return await super.run(script, options);
    this.scripts.push(script);
    this.inputs.push(String(options.stdin));
    if (this.failure !== undefined) options.onLine?.(this.failure);
    return { code: this.failure === undefined ? 0 : 1, stdout: "", stderr: "" };
  }
}

let ca: Identity;
beforeAll(async () => void (ca = await createAuthority("kubernetes", 3_650)));

let machine: InitMachine;
let memory: MemoryApi;
let warnings: string[];
let forgotten: number;
beforeEach(() => {
  machine = new InitMachine();
  memory = new MemoryApi();
  warnings = [];
  forgotten = 0;
});

function contextOf() {
  const context = machine.context({ warn: (message) => void warnings.push(message) });
  context.kube.api = async () => Object.assign(memory.api, { caCertificate: ca.certificate });
  context.kube.forget = () => void forgotten++;
  return context;
}

const inputs = () => ({
  ...machine.target,
  documents: [
    { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "InitConfiguration", nodeRegistration: { name: "cp-1" } },
    { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration", clusterName: "demo" },
  ],
  timeout: 120,
});
const outputs = () => ({ caCertHash: caCertHash(ca.certificate) });
const recorded = () => ({ inputs: inputs(), outputs: outputs() });
const create = () => settle(kubeadmInitResource.create(contextOf(), inputs()));
const update = () => settle(kubeadmInitResource.update!(contextOf(), "id", inputs(), recorded()));
const read = () => kubeadmInitResource.read!(contextOf(), "id", recorded());
const remove = () => kubeadmInitResource.delete!(contextOf(), "id", recorded());

describe("kubeadm init", () => {
  test("gets its configuration by stdin, and the hash of the new CA is an output", async () => {
    expect(await create()).toEqual({ id: "a1/kubeadm-init", outputs: outputs() });
    expect(machine.inputs).toEqual([expect.stringMatching(/name: "?cp-1"?\n[^]*clusterName: "?demo/)]);
    expect(machine.inputs[0]).not.toContain("ignorePreflightErrors");
    // The clients of a cluster that was there before have other certificates.
    expect(forgotten).toBe(1);
  });

  test("revokes its token, which no node uses, and shows it in no script", async () => {
    await create();
    const [, id, secret] = /token: "?([a-z0-9]{6})\.([a-z0-9]{16})/.exec(machine.inputs.join()) ?? [];
    expect(memory.requests).toContainEqual({
      call: "deleteNamespacedSecret",
      args: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    });
    expect(machine.scripts.join()).not.toContain(secret);
  });

  test("that was interrupted continues without the preflight checks, which its leftovers would fail", async () => {
    machine.progress = "started";
    await create();
    expect(machine.inputs.join()).toMatch(/ignorePreflightErrors:\s+- "?all/);
  });

  test("is not repeated when it is done", async () => {
    machine.progress = "done";
    expect((await create()).outputs).toEqual(outputs());
    expect(machine.inputs).toEqual([]);
  });

  test("gets longer deadlines from patience", async () => {
    machine.patience = 3;
    await create();
    const [initDocument] = machine.inputs.join().split("---");
    expect(initDocument).toMatch(/kubernetesAPICall: "?180s/);
  });

  test("that fails reports kubeadm's error and how to continue, and its clients are kept", async () => {
    machine.failure = "error execution phase preflight: port 6443 is in use";
    await expect(create()).rejects.toThrow(
      /kubeadm init failed on worker-1.*: .*port 6443 is in use; fix the cause, then run the command again/,
    );
    expect(forgotten).toBe(0);
  });

  test("is refused on a machine that was rebuilt", async () => {
    machine.instance = "b2";
    await expect(create()).rejects.toThrow("the machine was rebuilt");
    expect(machine.inputs).toEqual([]);
  });
});

describe("changed settings of a running control plane", () => {
  beforeEach(() => {
    machine.progress = "done";
    machine.changed = "kube-apiserver";
  });
  const phases = () => machine.scripts.filter((script) => script.includes("kubeadm init phase"));

  test("are written by kubeadm's phases, and uploaded once the kubelet runs the changed component", async () => {
    machine.lag = 5;
    const startsAt: number[] = [];
    machine.on(/upload-config/, () => (startsAt.push(machine.history.length), ""));
    expect(await update()).toEqual(outputs());
    expect(machine.files.get(CONFIG)).toMatchObject({ mode: "0600" });
    expect(phases().at(-1)).toContain(`kubeadm init phase upload-config kubeadm --config ${CONFIG}`);
    expect(machine.history.at(-1)).toContain("--v=3");
    expect(startsAt).toEqual([machine.history.length]);
  });

  test("that the component refuses are put back, and not uploaded", async () => {
    machine.flag = "--no-such-flag";
    await expect(update()).rejects.toThrow(/unknown flag.*\+ .*--no-such-flag.*kube-apiserver is healthy again/s);
    expect(machine.manifest("kube-apiserver")).toBe(manifestOf("kube-apiserver"));
    expect(phases().join()).not.toContain("upload-config");
  });

  test("that etcd refuses are put back before the API server's manifest is written", async () => {
    [machine.changed, machine.flag] = ["etcd", "--no-such-flag"];
    await expect(update()).rejects.toThrow("etcd is healthy again");
    expect(phases().join()).not.toContain("control-plane all");
  });

  test("are written even where the API server does not answer: they may repair it", async () => {
    machine.write("kube-apiserver", manifestOf("kube-apiserver", "--no-such-flag"));
    expect(await update()).toEqual(outputs());
    expect(machine.history.at(-1)).toContain("--v=3");
  });
});

describe("a refresh", () => {
  test("finds no drift on an initialized machine, and warns about certificates that expire soon", async () => {
    machine.progress = "done";
    const subject = { commonName: "kube-apiserver", usages: ["server" as const], dnsNames: ["kubernetes"] };
    vi.useRealTimers();
    const { certificate } = await createCertificate(ca, { ...subject, days: 10 });
    machine.files.set("/etc/kubernetes/pki/apiserver.crt", { content: certificate, mode: "0644" });
    machine.files.set("/etc/kubernetes/pki/ca.crt", { content: ca.certificate, mode: "0644" });
    expect(await read()).toEqual(recorded());
    expect(warnings).toEqual([
      expect.stringMatching(
        /certificates expire soon, the first in \d+ days: apiserver; run `kubeadm certs renew all`/,
      ),
    ]);
  });

  test.each(["none", "started"])("finds a machine gone whose init is recorded as %s", async (progress) => {
    machine.progress = progress;
    expect(await read()).toBeUndefined();
  });
});

describe("a delete", () => {
  test("resets the machine, and drops the clients of the cluster", async () => {
    await remove();
    expect(machine.scripts.filter((script) => RESET.test(script))).toHaveLength(1);
    expect(forgotten).toBe(1);
  });

  test("leaves a machine that was rebuilt as it is", async () => {
    machine.instance = "b2";
    await remove();
    expect(machine.scripts.filter((script) => RESET.test(script))).toEqual([]);
  });
});
