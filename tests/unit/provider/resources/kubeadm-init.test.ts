import "reflect-metadata";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { kubeadmInitResource } from "../../../../provider/resources/kubeadm-init";
import type { RunOptions } from "../../../../provider/ssh/remote";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryEngine, type Json } from "../../../support/memory-engine";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const RESET = /kubeadm reset --force/;

/** A machine whose `kubeadm init` fails with `failure` or succeeds. */
class InitMachine extends MemoryMachine {
  readonly inputs: string[] = [];
  patience = 1;
  progress = "none";
  failure: string | undefined;

  constructor() {
    super();
    this.on(/init\.done \] && \[ -e/, () => this.progress);
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
let stranger: Identity;
let kubelet: string;
beforeAll(async () => {
  [ca, stranger] = await Promise.all([createAuthority("kubernetes", 10), createAuthority("kubernetes", 10)]);
  const subject = { commonName: "system:node:cp-1", organizations: ["system:nodes"] };
  kubelet = (await createCertificate(ca, { ...subject, usages: ["client"], days: 1 })).certificate;
});

let machine: InitMachine;
let memory: MemoryApi;
let forgotten: number;
beforeEach(() => {
  machine = new InitMachine();
  memory = new MemoryApi();
  forgotten = 0;
});

function contextOf() {
  const context = machine.context();
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

test("an update after init changes nothing: flags and certificates belong to ControlPlane", async () => {
  machine.progress = "done";
  expect(await update()).toEqual(outputs());
  expect(machine.inputs).toEqual([]);
  expect(machine.scripts.filter((script) => /kubeadm init (phase|--)/.test(script))).toEqual([]);
});

/** A machine that is a member of a cluster, by whichever command. */
function memberOf(authority: Identity): void {
  machine.on(/kubelet-client-current\.pem/, () => `${kubelet}\n--- CA ---\n${authority.certificate}`);
}

describe("a refresh", () => {
  test("finds no drift on an initialized machine", async () => {
    machine.progress = "done";
    expect(await read()).toEqual(recorded());
  });

  test("finds no drift on a machine that joined the cluster after the one that initialized it had left", async () => {
    memberOf(ca);
    expect(await read()).toEqual(recorded());
  });

  test("finds that a machine was never initialized", async () => {
    machine.progress = "none";
    expect(await read()).toBeUndefined();
    memberOf(stranger);
    expect(await read()).toBeUndefined();
  });

  test("finds a machine unfinished whose init or reset was interrupted", async () => {
    machine.progress = "started";
    expect(await read()).toMatchObject({ inputs: inputs(), unfinished: true });
  });

  test("finds that an init that failed at its start is not there", async () => {
    machine.progress = "none";
    const failed = { inputs: inputs(), outputs: {} as never };
    expect(await kubeadmInitResource.read!(contextOf(), "id", failed)).toBeUndefined();
  });

  test("keeps a cluster that has other control planes", async () => {
    const old = { ...recorded(), inputs: { ...inputs(), controlPlanes: ["cp-1", "cp-2", "cp-3"] } };
    expect(await kubeadmInitResource.read!(contextOf(), "id", old)).toEqual(old);
  });
});

describe("a rebuilt machine", () => {
  const rebuilt = (controlPlanes: string[]) => ({ ...inputs(), controlPlanes, instance: "b2" });

  test("does not initialize a cluster again that has other control planes", async () => {
    machine.instance = "b2";
    const old = { ...recorded(), inputs: { ...inputs(), controlPlanes: ["cp-1", "cp-2", "cp-3"] } };
    expect(await kubeadmInitResource.update!(contextOf(), "id", rebuilt(["cp-1"]), old)).toEqual(outputs());
    expect(await kubeadmInitResource.update!(contextOf(), "id", rebuilt(["cp-1", "cp-2", "cp-3"]), old)).toEqual(
      outputs(),
    );
    expect(machine.scripts).toEqual([]);
  });

  test("continues an init that never finished, also with other control planes", async () => {
    const old = { inputs: { ...inputs(), controlPlanes: ["cp-1", "cp-2", "cp-3"] }, outputs: {} as never };
    expect(await settle(kubeadmInitResource.update!(contextOf(), "id", old.inputs, old))).toEqual(outputs());
    expect(machine.inputs).toHaveLength(1);
  });
});

/** Names of the nodes, this machine's first. */
const namesOf = (otherControlPlanes: string[], workers: string[]) => {
  const controlPlanes = ["worker-1", ...otherControlPlanes];
  return { controlPlanes, nodes: [...controlPlanes, ...workers] };
};
const networking = { podSubnet: "10.244.0.0/16" };

describe("a cluster whose first machine is lost", () => {
  const initializations = () => machine.scripts.filter((script) => script.includes("kubeadm init --config"));

  /** Creates the cluster, loses its machine, and runs `up --refresh` with the machine that replaces it. */
  async function loseMachine(names: ReturnType<typeof namesOf>, isRemoved: boolean) {
    const context = contextOf();
    const engine = new MemoryEngine(kubeadmInitResource, () => context);
    const documents = inputs().documents.map((document) => ({ ...document, networking }));
    const program = { ...inputs(), ...names, documents, connection: { ...machine.connection } } as unknown as Json;
    await settle(engine.up(program));
    machine.instance = "b2";
    if (isRemoved) context.unreachable.markGone(machine.connection);
    await settle(engine.refresh());
    const run = settle(engine.up({ ...program, instance: "b2" }));
    return { engine, run };
  }

  test.each([true, false])("keeps its other control planes (machine removed: %s)", async (isRemoved) => {
    const { engine, run } = await loseMachine(namesOf(["cp-2", "cp-3"], ["worker-2"]), isRemoved);
    expect(await run).toEqual(["update"]);
    expect(engine.state?.outputs).toMatchObject(outputs());
    expect(initializations()).toHaveLength(1);
  });

  test.each([true, false])("is not initialized again while it has a worker (removed: %s)", async (isRemoved) => {
    const { engine, run } = await loseMachine(namesOf([], ["worker-2"]), isRemoved);
    await expect(run).rejects.toThrow(/would reset the nodes that are left \(worker-2\).*npm run down/);
    expect(engine.state?.outputs).toMatchObject(outputs());
    expect(initializations()).toHaveLength(1);
  });

  test("is reported by a refresh, and so by a preview, if it has one control plane", async () => {
    const warnings: string[] = [];
    const context = { ...contextOf(), warn: (text: string) => void warnings.push(text) };
    const old = { ...recorded(), inputs: { ...inputs(), ...namesOf([], ["worker-2"]) } };
    machine.instance = "b2";
    expect(await kubeadmInitResource.read!(context, "id", old)).toEqual(old);
    expect(warnings.join()).toMatch(
      /^worker-1 \(10\.0\.0\.1\): the machine of the only control plane.*nodes that are left \(worker-2\)/,
    );
  });

  test("is initialized again if it has no other node", async () => {
    const { run } = await loseMachine(namesOf([], []), true);
    expect(await run).toEqual(["create"]);
    expect(initializations()).toHaveLength(2);
  });
});

describe("a delete", () => {
  const resets = () => machine.scripts.filter((script) => RESET.test(script));

  test("resets the machine, also after an interrupted init, and drops the clients of the cluster", async () => {
    machine.progress = "started";
    await remove();
    expect(resets()).toHaveLength(1);
    expect(forgotten).toBe(1);
  });

  test("resets a member of the cluster, and no member of another one", async () => {
    memberOf(ca);
    await remove();
    expect(resets()).toHaveLength(1);
    memberOf(stranger);
    await remove();
    expect(resets()).toHaveLength(1);
  });

  test("leaves a machine that was rebuilt, or that has no cluster, as it is", async () => {
    await remove();
    machine.instance = "b2";
    await remove();
    expect(resets()).toEqual([]);
  });
});

describe("an adoption", () => {
  const adopt = () => kubeadmInitResource.adopt!(contextOf(), inputs());

  test("records the cluster of a member, whichever command made it one", async () => {
    machine.on(/kubelet-client-current\.pem/, () => `${kubelet}\n--- CA ---\n${ca.certificate}`);
    expect(await adopt()).toEqual({ id: "a1/kubeadm-init", outputs: outputs() });
    expect(machine.inputs).toEqual([]);
  });

  test("is refused where the first control plane is in no cluster", async () => {
    await expect(adopt()).rejects.toThrow(/on worker-1 .*: the first control plane .* is in no cluster of kubeadm/);
  });
});
