import "reflect-metadata";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { kubeadmJoinResource } from "../../../../provider/resources/kubeadm-join";
import { TAKEN_OUT } from "../../../../render/api-traffic";
import { testContext } from "../../../support/context";
import { MemoryApi } from "../../../support/memory-api";
import { expectInOrder } from "../../../support/expect-in-order";
import { ScriptedMachine } from "../../../support/scripted-machine";

const connection = { host: "10.0.0.1", port: 22, user: "root", name: "worker-1" };
let ca: Identity;
let certificates: Map<string, string>;

beforeAll(async () => {
  ca = await createAuthority("kubernetes", 10);
  certificates = new Map();
  for (const node of ["worker-1", "renamed"]) {
    const subject = { commonName: `system:node:${node}`, organizations: ["system:nodes"] };
    certificates.set(node, (await createCertificate(ca, { ...subject, usages: ["client"], days: 1 })).certificate);
  }
});

const ETCD = ["cp-1", "cp-2", "worker-1"]
  .map((name) => `1a, started, ${name}, https://${name}:2380, https://${name}:2379, false\n`)
  .concat("--- health ---\n", "https://cp-1:2379 is healthy: ok\n", "https://cp-2:2379 is healthy: ok\n")
  .join("");

/** A machine that has joined the cluster under a name. */
function joinedAs(node: string, verb = "join", time = "") {
  const machine = new ScriptedMachine((script) => {
    if (/(join|init)\.done/.test(script)) return { stdout: script.includes(`${verb}.done`) ? "done" : "none" };
    if (script.includes("endpoint health")) return { stdout: ETCD };
    if (script.includes("s/.*--name=//p")) return { stdout: "worker-1" };
    if (script.includes("show stat")) return { code: TAKEN_OUT };
    if (script.includes("date +%s"))
      return { stdout: `${time}file /var/lib/kubelet/pki/kubelet-client-current.pem\n${certificates.get(node)}` };
    if (script.includes("kubelet-client-current.pem") && script.includes("CERTIFICATE"))
      return { stdout: `${certificates.get(node)}\n--- CA ---\n${ca.certificate}` };
    return {};
  }, "worker-1 (10.0.0.1)");
  const context = testContext();
  context.connections.get = () => Object.assign(machine, { machineId: async () => "id-1", connection }).remote;
  return { machine, context };
}

function inputsFor(name: string, caHash = caCertHash(ca.certificate)) {
  return {
    connection,
    instance: "id-1",
    controlPlanes: [{ ...connection, host: "10.0.0.9" }],
    document: {
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "JoinConfiguration",
      discovery: { bootstrapToken: { apiServerEndpoint: "10.0.0.9:6443" } },
      nodeRegistration: { name },
    },
    caCertHash: caHash,
    timeout: 60,
  } as never;
}

function controlPlaneInputs() {
  const inputs = inputsFor("worker-1") as { document: object };
  Object.assign(inputs.document, { controlPlane: {} });
  return inputs as never;
}

const isReset = ({ scripts }: ScriptedMachine) => scripts.some((script) => script.includes("kubeadm reset --force"));

describe("a machine that has joined as worker-1", () => {
  test("is reported by a refresh if the kubelet has not renewed its certificate", async () => {
    const warnings: string[] = [];
    const { context } = joinedAs("worker-1", "join", `now ${Math.floor(Date.now() / 1000) + 2 * 86_400}\n`);
    const old = { inputs: inputsFor("worker-1"), outputs: {} as never };
    await kubeadmJoinResource.read!({ ...context, warn: (text) => void warnings.push(text) }, "id", old);
    expect(warnings.join()).toMatch(
      /^worker-1 \(10.0.0.1\): certificate kubelet client ended 24 hours ago; the kubelet/,
    );
  });

  test("is put back into the API balancers that know it from before, if it is a control plane", async () => {
    const { machine, context } = joinedAs("worker-1");
    const isPutBack = () => machine.scripts.some((script) => script.includes("answer.sh ready"));
    await kubeadmJoinResource.create(context, inputsFor("worker-1"));
    expect(isPutBack()).toBe(false);
    const inputs = controlPlaneInputs();
    await kubeadmJoinResource.create(context, inputs);
    expect(isPutBack()).toBe(true);
  });

  test("is done for the join of worker-1", async () => {
    const { context } = joinedAs("worker-1");
    expect(await kubeadmJoinResource.create(context, inputsFor("worker-1"))).toMatchObject({ outputs: {} });
  });

  test("is not joined under another name, and stays as it is", async () => {
    const { machine, context } = joinedAs("worker-1");
    await expect(kubeadmJoinResource.create(context, inputsFor("renamed"))).rejects.toThrow(
      "a member of this cluster as node worker-1, not renamed",
    );
    expect(isReset(machine)).toBe(false);
  });

  test("is not joined to another cluster", async () => {
    const { context } = joinedAs("worker-1");
    await expect(kubeadmJoinResource.create(context, inputsFor("worker-1", "sha256:other"))).rejects.toThrow(
      "a member of another cluster, as node worker-1",
    );
  });

  test("is reset when worker-1 is deleted", async () => {
    const { machine, context } = joinedAs("worker-1");
    await kubeadmJoinResource.delete?.(context, "id", { inputs: inputsFor("worker-1"), outputs: {} });
    expect(isReset(machine)).toBe(true);
  });

  test("is not reset when a resource of its earlier name is deleted", async () => {
    const { machine, context } = joinedAs("worker-1");
    await kubeadmJoinResource.delete?.(context, "id", { inputs: inputsFor("renamed"), outputs: {} });
    expect(isReset(machine)).toBe(false);
  });

  test("is taken out of the API balancers before it leaves etcd, if it is a control plane", async () => {
    const { machine, context } = joinedAs("worker-1");
    const inputs = controlPlaneInputs();
    await kubeadmJoinResource.delete?.(context, "id", { inputs: inputs, outputs: {} });
    expectInOrder(machine.scripts.join("\n"), "answer.sh drain", "etcdctl member remove", "kubeadm reset");
  });

  test("is taken out of the API balancers, if this run deletes its machine as a whole", async () => {
    const { machine, context } = joinedAs("worker-1");
    context.unreachable.isRebuilt = (instance) => instance === "id-1";
    const inputs = controlPlaneInputs();
    await kubeadmJoinResource.delete?.(context, "id", { inputs: inputs, outputs: {} });
    expectInOrder(machine.scripts.join("\n"), "answer.sh drain", "etcdctl member remove");
    expect(isReset(machine)).toBe(false);
  });

  test("leaves etcd through the other control planes when it was rebuilt, and is not reset", async () => {
    const { machine, context } = joinedAs("worker-1");
    const inputs = Object.assign(inputsFor("worker-1"), { instance: "id-0" }) as { document: object };
    Object.assign(inputs.document, { controlPlane: {} });
    await kubeadmJoinResource.delete?.(context, "id", { inputs: inputs, outputs: {} });
    expect(machine.scripts.at(-1)).toMatch(/name=worker-1[^]*etcdctl member remove/);
    expect(isReset(machine)).toBe(false);
  });

  test("is a member without a join if it initialized the cluster", async () => {
    const { machine, context } = joinedAs("worker-1", "init");
    await kubeadmJoinResource.create(context, inputsFor("worker-1"));
    expect(
      await kubeadmJoinResource.read?.(context, "id", { inputs: inputsFor("worker-1"), outputs: {} }),
    ).toBeDefined();
    expect(machine.scripts.some((script) => script.includes("kubeadm join"))).toBe(false);
  });

  test("is not read as a member under another name", async () => {
    const { context } = joinedAs("worker-1");
    const recorded = (name: string) => ({ inputs: inputsFor(name), outputs: {} });
    expect(await kubeadmJoinResource.read?.(context, "id", recorded("worker-1"))).toBeDefined();
    expect(await kubeadmJoinResource.read?.(context, "id", recorded("renamed"))).toBeUndefined();
  });
});

test("a node is not reset for another cluster; a machine that was rebuilt joins one", () => {
  const [one, other] = ["sha256:one", "sha256:other"].map((hash) => inputsFor("worker-1", hash) as object);
  const problems = (now: object, old: object) => kubeadmJoinResource.findImpossibleChanges?.(now, old) ?? [];
  expect(problems(other!, one!)).toEqual([
    { path: "caCertHash", reason: expect.stringMatching(/would be reset to join another one.*npm run down/) as string },
  ]);
  expect(problems(one!, one!)).toEqual([]);
  expect(problems({ ...other, instance: "id-2" }, one!)).toEqual([]);
  expect(problems({ ...other, caCertHash: undefined }, one!)).toEqual([]);
});

test("a rebuilt control plane begins no new cluster when no other control plane answers", async () => {
  const machine = new ScriptedMachine((script) => (/(join|init)\.done/.test(script) ? { stdout: "none" } : {}));
  const context = testContext();
  context.connections.get = () => Object.assign(machine, { machineId: async () => "id-1", connection }).remote;
  context.kube.api = () => Promise.reject(new Error("cp-2: connect ETIMEDOUT"));
  const inputs = inputsFor("worker-1") as { document: object };
  Object.assign(inputs.document, { controlPlane: {} });
  await expect(kubeadmJoinResource.create(context, inputs)).rejects.toThrow(
    /no other control plane.*answers, and no new cluster is initialized: cp-2: connect ETIMEDOUT; start the other/,
  );
  expect(machine.scripts.filter((script) => /kubeadm (init|join|reset)/.test(script))).toEqual([]);
});

/** A machine on which kubeadm fails with each of the messages in turn, then succeeds. */
function joining(failures: string[], patience = 1, memory = new MemoryApi()) {
  memory.inject = (call, args) => {
    const { name = "" } = (args as { body?: { metadata?: { name?: string } } }).body?.metadata ?? {};
    const key = `jws-kubeconfig-${name.replace("bootstrap-token-", "")}`;
    if (call === "createNamespacedSecret") memory.configMaps.set("kube-public/cluster-info", { data: { [key]: "x" } });
    return undefined;
  };
  let joins = 0;
  const machine = new ScriptedMachine((script) => {
    if (!script.includes("kubeadm join")) return /(join|init)\.done/.test(script) ? { stdout: "none" } : {};
    const line = failures[joins++];
    return line === undefined ? {} : { code: 1, lines: [line] };
  });
  machine.patience = patience;
  const context = testContext();
  context.connections.get = () => Object.assign(machine, { machineId: async () => "id-1", connection }).remote;
  context.kube.api = async () => Object.assign(memory.api, { caCertificate: ca.certificate, patience });
  const done = kubeadmJoinResource.create(context, inputsFor("worker-1"));
  return { memory, machine, done, joins: () => joins };
}
test("a join gets longer deadlines of kubeadm from patience, within that of the join", async () => {
  const { machine, done } = joining([], 3);
  await done;
  const config = machine.inputs.join();
  for (const [name, seconds] of Object.entries({ etcdAPICall: 360, kubernetesAPICall: 180, tlsBootstrap: 72 }))
    expect(config).toMatch(new RegExp(`  ${name}: "?${seconds}s`));
});

test("a join of a rebuilt machine waits until its node no longer reports the previous machine", async () => {
  const memory = new MemoryApi();
  const reporting = (machineID: string) => ({ metadata: { name: "worker-1" }, status: { nodeInfo: { machineID } } });
  memory.nodes.set("worker-1", reporting("id-0") as never);
  const { done } = joining([], 1, memory);
  await vi.waitUntil(() => memory.countOf("readNode") > 1);
  memory.nodes.set("worker-1", reporting("id-1") as never);
  await done;
});

describe("a join whose etcd check timed out", () => {
  const timedOut = "error execution phase check-etcd: error syncing endpoints with etcd: context deadline exceeded";

  test("is repeated once, after a reset", async () => {
    const { machine, done, joins } = joining([timedOut]);
    await done;
    expect(joins()).toBe(2);
    expect(isReset(machine)).toBe(true);
  });

  test("fails when it times out again, and after other errors immediately", async () => {
    await expect(joining([timedOut, timedOut]).done).rejects.toThrow("check-etcd");
    const refused = joining(["error execution phase preflight: port 10250 is in use"]);
    await expect(refused.done).rejects.toThrow("port 10250 is in use");
    expect(refused.joins()).toBe(1);
  });
});

test("a join under the name of a lost machine waits until its node no longer seems to be Ready", async () => {
  const taken = 'error execution phase kubelet-start: a Node with name "worker-1" and status "Ready" already exists';
  const { memory, machine, done, joins } = joining([taken]);
  memory.nodes.set("worker-1", {
    metadata: { name: "worker-1" },
    status: { conditions: [{ type: "Ready", status: "Unknown" }] },
  });
  await done;
  expect(joins()).toBe(2);
  expect(isReset(machine)).toBe(true);
  expect(memory.calls).toContain("readNode");
});

describe("an adoption", () => {
  const adopt = ({ context }: ReturnType<typeof joinedAs>, hash?: string, name = "worker-1") =>
    kubeadmJoinResource.adopt!(context, inputsFor(name, hash));

  test.each(["join", "init"])("records a machine that kubeadm %s has made a member", async (verb) => {
    const joined = joinedAs("worker-1", verb);
    expect(await adopt(joined)).toEqual({ id: "id-1/kubeadm-join", outputs: {} });
    expect(joined.machine.scripts.join()).not.toMatch(/kubeadm (join|reset)/);
  });

  test("is refused for a machine of another cluster, or with another name", async () => {
    await expect(adopt(joinedAs("worker-1"), "sha256:other")).rejects.toThrow(
      /on worker-1 \(10\.0\.0\.1\): this machine is a member of another cluster, as node worker-1; .*reset/,
    );
    await expect(adopt(joinedAs("worker-1"), undefined, "renamed")).rejects.toThrow(/as node worker-1, not renamed/);
  });

  test("is refused for a machine that has not joined, or not to the end", async () => {
    await expect(adopt(joinedAs("worker-1", "nothing"))).rejects.toThrow(/has not finished; remove it from/);
    await expect(adopt(joinedAs("unknown"))).rejects.toThrow(/it is not a member of this cluster; remove it from/);
  });
});
