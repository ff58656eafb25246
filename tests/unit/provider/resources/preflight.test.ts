import { beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../../contracts/connection";
import type { Context } from "../../../../provider/rpc/handler";
import { preflightResource } from "../../../../provider/resources/preflight";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { factsOutput } from "../../../support/facts-output";
import { ScriptedMachine } from "../../../support/scripted-machine";

const NAMES = ["cp-1", "worker-1", "worker-2"];
let facts: Record<string, Record<string, string | number>>;
let silent: string[];
let readFrom: string[];
let warnings: string[];
let context: Context;
beforeEach(() => {
  [facts, silent, readFrom, warnings] = [{}, [], [], []];
  context = testContext({ warn: (message) => void warnings.push(message) });
  context.connections.get = (connection: Connection) => {
    const { name = "", host } = connection;
    readFrom.push(name);
    const defaults = { hostname: name, machine_id: `id-${name}`, addresses: host };
    return new ScriptedMachine(() =>
      silent.includes(name)
        ? new ConnectionError(connection, "connect ETIMEDOUT", "transient", "switch it on")
        : { stdout: factsOutput({ ...defaults, ...facts[name] }) },
    ).remote;
  };
});

const inputs = (changes: object = {}) => ({
  machines: NAMES.map((name, index) => ({
    name,
    role: index === 0 ? "control-plane" : "worker",
    connection: connectionTo({ host: `10.0.0.${index + 1}`, name }),
  })),
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/16",
  proxyMode: "nftables",
  ...changes,
});
const create = (changes: object = {}) => preflightResource.create(context, inputs(changes));
const passed = { "cp-1": "id-cp-1", "worker-1": "id-worker-1", "worker-2": "id-worker-2" };

test("machines without problems pass, each under its machine-id", async () => {
  expect(await create()).toEqual({ id: "preflight", outputs: { passed } });
  expect(warnings).toEqual([]);
});

test("the problems of all machines are in one error, and nothing has changed", async () => {
  facts = { "cp-1": { swap_kib: 512 << 10 } };
  silent = ["worker-2"];
  const failure = await create().catch(({ message }: Error) => message);
  expect(failure).toMatch(/^preflight failed: nothing was changed on any machine\n/);
  expect(failure).toMatch(/^error {3}cp-1: swap is on \(512 MiB\)/m);
  expect(failure).toMatch(/^error {3}worker-2: SSH connection failed on worker-2.*ETIMEDOUT; switch it on$/m);
});

test("a warning that several machines have in common is shown once", async () => {
  facts = { "worker-1": { cgroup: "tmpfs" }, "worker-2": { cgroup: "tmpfs" } };
  await create();
  expect(warnings).toEqual([expect.stringMatching(/^worker-1, worker-2: /)]);
});

test("machines that another preflight has passed are not connected to", async () => {
  expect((await create({ judged: passed })).outputs).toEqual({ passed });
  expect(readFrom).toEqual([]);
});

test("a node is no leftover where it passed before, and is one after the machine was swapped", async () => {
  facts = { "worker-1": { kubernetes: "worker" } };
  const old = { inputs: inputs(), outputs: { passed } };
  expect(await preflightResource.update!(context, "preflight", inputs(), old)).toEqual({ passed });
  const swapped = { ...old, outputs: { passed: { ...passed, "worker-1": "id-before" } } };
  await expect(preflightResource.update!(context, "preflight", inputs(), swapped)).rejects.toThrow(
    /error {3}worker-1: .*cluster/,
  );
});

test.each([
  ["in a cluster without kubeadm", {}],
  ["with the CA of its cluster", { cluster_ca: "a".repeat(64) }],
])("a node whose host was renamed is refused with its name, without the advice to reset it: %s", async (_, ca) => {
  facts = {
    "cp-1": { kubernetes: "control-plane", ...ca },
    renamed: { kubernetes: "worker", machine_id: "id-worker-2", ...ca },
  };
  const machines = inputs().machines.map((machine) =>
    machine.name === "worker-2"
      ? { ...machine, name: "renamed", connection: { ...machine.connection, name: "renamed" } }
      : machine,
  );
  const old = { inputs: inputs(), outputs: { passed } };
  const update = preflightResource.update!(context, "preflight", inputs({ machines }), old);
  const failure = await update.catch(({ message }: Error) => message);
  expect(failure).toMatch(/error {3}renamed: it is already the node worker-2 of this cluster; give it that name again/);
  expect(failure).not.toContain("kubeadm reset");
});

test("another bootstrapper checks every machine again", async () => {
  facts = { "worker-1": { kubernetes: "worker" } };
  const old = { inputs: inputs(), outputs: { passed } };
  const update = preflightResource.update!(context, "preflight", inputs({ bootstrap: "components" }), old);
  await expect(update).rejects.toThrow(/error {3}worker-1: /);
});

test("an adoption takes the machines for members, and reads all of them", async () => {
  facts = Object.fromEntries(NAMES.map((name) => [name, { kubernetes: "worker" }]));
  await expect(create()).rejects.toThrow(/preflight failed/);
  expect(await preflightResource.adopt!(context, inputs())).toEqual({ id: "preflight", outputs: { passed } });
  silent = ["worker-2"];
  await expect(preflightResource.adopt!(context, inputs())).rejects.toThrow(/worker-2: .*ETIMEDOUT; switch it on/);
});
