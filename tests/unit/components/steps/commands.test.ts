import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { Cluster, RollingUpdate, type Machine, type PoolCommands } from "../../../../components";
import { giveSdk } from "../../../../components/machines/clouds/sdk";
import { RUN_SCRIPT } from "../../../../render/command-script";
import { type Registration, recordRegistrations } from "../../../support/registrations";

const HAND = { name: "hand", host: "10.77.0.2", hostKey: "ssh-ed25519 AAAA" };

/** Returns the commands of a cluster whose only worker is `hand`. */
async function commandsOf(commands: PoolCommands, machine: Machine = HAND): Promise<Registration[]> {
  const registrations = await recordRegistrations(() => createCluster(commands, machine));
  return registrations.filter(({ type }) => type === "command:remote:Command");
}

function createCluster(commands: PoolCommands, machine: Machine = HAND): Cluster {
  return new Cluster("dev", {
    version: "1.36.3",
    controlPlanes: [{ name: "boss", host: "10.77.0.1" }],
    pools: [{ name: "workers", machines: [machine], commands }],
  });
}

const NODE = "kubewright:kube:Node hand-node";

test("a command after the join runs when its resource is created, after the node and the command before", async () => {
  const [first, second] = await commandsOf({
    afterJoin: [
      { name: "a", script: "echo a" },
      { name: "b", script: "echo b" },
    ],
  });
  expect(first).toMatchObject({
    name: "hand-after-join-a",
    parent: "kubewright:components:Worker hand",
    inputs: {
      create: RUN_SCRIPT,
      stdin: "export KUBEWRIGHT_NODE=hand\necho a\n",
      triggers: ["hand-node-id"],
      connection: { host: "10.77.0.2", user: "root", hostKey: "ssh-ed25519 AAAA" },
    },
  });
  expect(first?.dependsOn).toContain(NODE);
  expect(first?.inputs).not.toHaveProperty("update");
  expect(second?.dependsOn).toContain("command:remote:Command hand-after-join-a");
});

test("commands before a drain run in order when their resources are deleted, before the node", async () => {
  const [first, second] = await commandsOf({
    beforeDrain: [
      { name: "a", script: "echo a" },
      { name: "b", script: "echo b" },
    ],
  });
  expect(first?.inputs).toMatchObject({ delete: RUN_SCRIPT });
  expect(first?.inputs).not.toHaveProperty("create");
  expect(first?.dependsOn).toContain("command:remote:Command hand-before-drain-b");
  expect(second?.dependsOn).toContain(NODE);
  // As for the node: nothing is drained when the whole cluster is deleted.
  expect(first?.deletedWith).toBe("kubewright:kubeadm:Init dev-init");
});

test("a command after an upgrade runs when the version changes", async () => {
  const [command] = await commandsOf({ afterUpgrade: [{ name: "a", script: "echo a" }] });
  expect(command?.inputs).toMatchObject({
    update: RUN_SCRIPT,
    stdin: "export KUBEWRIGHT_NODE=hand\nexport KUBEWRIGHT_VERSION=1.36.3\necho a\n",
  });
  expect(command?.inputs).not.toHaveProperty("create");
});

test("environment variables are secrets, and neither a command line nor the log has them", async () => {
  const [command] = await commandsOf({
    afterJoin: [{ name: "a", script: "login", environment: { TOKEN: pulumi.output("abc") } }],
  });
  expect(command?.inputs.stdin).toMatchObject({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    value: "export KUBEWRIGHT_NODE=hand\nexport TOKEN=abc\nlogin\n",
  });
  expect(command?.inputs.create).not.toContain("abc");
  expect(command?.inputs.logging).toBe("none");
});

test("a machine behind a jump host is reached through it, and one behind two is refused", async () => {
  const jump = { host: "bastion", user: "hop" };
  const commands = { afterJoin: [{ name: "a", script: "true" }] };
  const [command] = await commandsOf(commands, { ...HAND, jump });
  expect(command?.inputs.connection).toMatchObject({ host: "10.77.0.2", proxy: { host: "bastion", user: "hop" } });
  await recordRegistrations(() => {
    expect(() => createCluster(commands, { ...HAND, jump: { ...jump, jump } })).toThrow(
      "commands on hand: @pulumi/command supports one jump host",
    );
  });
});

test("the next node of a rolling update waits for the commands", async () => {
  const added = new Map<string, string>();
  const addNode = vi.spyOn(RollingUpdate.prototype, "addNode").mockImplementation((machine, resource) => {
    resource.urn.apply((urn) => added.set(machine, urn.split("::").at(-1) ?? ""));
  });
  await recordRegistrations(() => {
    new Cluster("dev", {
      version: "1.36.3",
      controlPlanes: [{ name: "boss", host: "10.77.0.1" }],
      pools: [{ name: "workers", machines: [HAND], commands: { afterJoin: [{ name: "a", script: "true" }] } }],
      rollingUpdate: new RollingUpdate("dev", { pools: [{ names: ["hand"] }] }),
    });
  });
  addNode.mockRestore();
  expect(Object.fromEntries(added)).toEqual({ boss: "boss-node", hand: "hand-after-join-a" });
});

test("@pulumi/command is required only where a pool has commands", async () => {
  const empty = mkdtempSync(join(tmpdir(), "kubewright-empty-"));
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(empty);
  await recordRegistrations(() => {
    giveSdk("@pulumi/command", undefined);
    createCluster({ afterJoin: [] });
  });
  const registrations = await recordRegistrations(() => {
    giveSdk("@pulumi/command", undefined);
    expect(() => createCluster({ afterJoin: [{ name: "a", script: "true" }] })).toThrow(
      "commands of the pool workers need the package @pulumi/command, which is not installed; " +
        "run `npm install @pulumi/command`",
    );
  });
  expect(registrations.map(({ type }) => type)).toEqual(["kubewright:components:Cluster"]);
  cwd.mockRestore();
  rmSync(empty, { recursive: true });
});

test("a cluster that is built by components refuses them", async () => {
  await recordRegistrations(() => {
    const pools = [{ name: "workers", machines: [HAND], commands: { afterJoin: [{ name: "a", script: "true" }] } }];
    const controlPlanes = [{ name: "boss", host: "10.77.0.1" }];
    expect(() => new Cluster("dev", { version: "1.36.3", controlPlanes, pools, components: {} })).toThrow(
      "pool workers: commands: a cluster that is built by components runs none",
    );
  });
});
