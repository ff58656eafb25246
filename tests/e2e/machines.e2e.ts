import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import { networkName } from "../../provider/docker/network";
import { output } from "../../common/process";
import { OwnMachine } from "../support/own-machine";
import type { Requirement } from "../support/requirement";
import { kubectlOf } from "../support/cluster-client";
import { TestStack } from "../support/test-stack";
import { vagrantAvailable, vagrantIn } from "../support/vagrant";

/** The network of both Docker's and Vagrant's machines. */
const SUBNET = "172.31.98.0/24";
const CONFIG = {
  "machines.docker.subnet": SUBNET,
  "machines.vagrant.subnet": SUBNET,
  "machines.vagrant.provider": "docker",
  "workers.machines.kind": "vagrant",
  "workers.count": "1",
};
const WORKER = "worker-1";
/** The control plane is also the jump host. */
const JUMP = "172.31.98.10";
const SUDO_PASSWORD = "sudo-only-password";

const stack = new TestStack("e2e-machines");
const folder = join(stack.stackFolder, "vagrant");
let vagrant: Requirement;
let mine: OwnMachine | undefined;
let kubectl: (...args: string[]) => Promise<string>;

describe("a cluster of several kinds of machines", () => {
  beforeAll(async () => {
    vagrant = await vagrantAvailable();
    if (process.env.CI === "true") expect(vagrant.reason).toBe("");
    await stack.down("--force"); // left by a killed test run
  });

  beforeEach(({ skip }) => skip(!vagrant.met, vagrant.reason));

  afterAll(async () => {
    await mine?.remove();
    await stack.down("--force");
    stack.removeFiles();
  });

  test("joins a Vagrant worker to a Docker control plane over the worker's second interface", async () => {
    const { code, text } = await stack.up(
      ...Object.entries(CONFIG).flatMap(([path, value]) => ["--config", `${path}=${value}`]),
    );
    expect(code, text).toBe(0);
    kubectl = await kubectlOf(stack);
    expect(await nodeAddresses()).toEqual({ "control-plane-1": "172.31.98.10", [WORKER]: "172.31.98.19" });
    const network = await inWorker("ip -4 route show default; ip -o -4 addr show eth1; cat .ssh/authorized_keys");
    expect(network).toMatch(/default via \S+ dev eth0/);
    expect(network).toContain("172.31.98.19/24");
    expect(network).not.toContain("vagrant insecure public key");
    // The route to the other node's pods uses the shared network.
    expect(await inWorker("ip -4 route show 10.244.0.0/24")).toContain("via 172.31.98.10 dev eth1");
  });

  test("a second run changes nothing", async () => {
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });

  test("starts a halted machine without joining it again", async () => {
    const before = await machineId();
    await vagrantIn(folder, "halt", WORKER);
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain(`Machine ${WORKER}: updated`);
    expect(text).not.toContain(`Join ${WORKER}-join: recreating`);
    expect(await machineId()).toBe(before);
    await waitForNode(WORKER);
  });

  describe("an existing machine with a sudo password, behind a jump host", () => {
    let before = "";

    test("joins in one run, and no password is in plain text anywhere", async () => {
      mine = await OwnMachine.start({
        hostname: "mine",
        network: networkName(String((await stack.outputs()).stackId)),
        hostNumber: 200,
      });
      await mine.on(`echo 'admin:${SUDO_PASSWORD}' | chpasswd; echo 'admin ALL=(ALL) ALL' > /etc/sudoers.d/admin`);
      await mine.on(`echo 'AllowUsers admin@${JUMP}' > /etc/ssh/sshd_config.d/only-by-jump.conf; systemctl reload ssh`);
      await stack.on("control-plane-1", `cat >> /home/admin/.ssh/authorized_keys <<'EOF'\n${mine.publicKey}\nEOF`);
      before = await listFiles(mine);
      await addToConfiguration(mine);
      const { code, text } = await stack.up();
      expect(code, text).toBe(0);
      await waitForNode("mine");
      expect(await nodeAddresses()).toEqual({
        "control-plane-1": JUMP,
        [WORKER]: "172.31.98.19",
        mine: "172.31.98.200",
      });
      expect(await mine.on("journalctl -u ssh -o cat | grep 'Accepted publickey' | sed 's/ port .*//' | sort -u")).toBe(
        `Accepted publickey for admin from ${JUMP}`,
      );
      const state = await stack.pulumiQuietly("stack", "export");
      expect(state.text).toContain("mine-join");
      for (const plain of [text, state.text, readFileSync(stack.configFile, "utf8")])
        expect(plain).not.toContain(SUDO_PASSWORD);
    });

    test("leaves without leftovers", async () => {
      await removeFromConfiguration();
      expect(Object.keys(await nodeAddresses())).not.toContain("mine");
      expect(await listFiles(mine)).toBe(before);
      const units = "systemctl list-units --all --plain | grep -E '(kubelet|containerd).service'";
      const leftovers = `ip route | grep 10.244; nft list tables | grep kube; ${units}; true`;
      expect(await mine?.on(leftovers)).toBe("");
    });

    test("joins again", async () => {
      if (mine) await addToConfiguration(mine);
      const { code, text } = await stack.up();
      expect(code, text).toBe(0);
      await waitForNode("mine");
    });
  });

  test("replaces the worker: its machine is destroyed and another one joins", async () => {
    const before = await machineId();
    const { code, text } = await stack.npmRun("node:replace", WORKER, "--yes");
    expect(code, text).toBe(0);
    expect(await machineId()).not.toBe(before);
    expect(await output("docker", ["ps", "-a", "-q", "--no-trunc"])).not.toContain(before);
    await waitForNode(WORKER);
  });

  test("removes the existing machine from the cluster", async () => {
    await removeFromConfiguration();
    expect(Object.keys(await nodeAddresses())).toEqual(["control-plane-1", WORKER]);
    await mine?.remove();
    mine = undefined;
  });

  test("npm run down leaves nothing behind", async () => {
    const id = await machineId();
    const { code, text } = await stack.down();
    expect(code, text).toBe(0);
    expect(existsSync(folder)).toBe(false);
    expect(await output("docker", ["ps", "-a", "-q", "--no-trunc"])).not.toContain(id);
    expect(await output("docker", ["network", "ls", "--format", "{{.Name}}"])).not.toContain(SUBNET);
    expect(
      await output("docker", ["volume", "ls", "-q", "--filter", `label=io.kubewright.stack=vagrant ${folder}`]),
    ).toBe("");
  });
});

/** Adds the machine to the configuration file, and its sudo password with `pulumi config set --secret`. */
async function addToConfiguration({ address, keyPath }: OwnMachine): Promise<void> {
  stack.configure((config) => {
    const hosts = [{ name: "mine", host: address, user: "admin", privateKeyPath: keyPath, jump: `admin@${JUMP}` }];
    config["kubewright:workers"] = { ...(config["kubewright:workers"] as object), hosts };
  });
  const path = "kubewright:workers.hosts[0].sudoPassword";
  const set = await stack.pulumiQuietly("config", "set", "--secret", "--path", path, SUDO_PASSWORD);
  expect(set.code, set.text).toBe(0);
}

async function removeFromConfiguration(): Promise<void> {
  expect((await stack.pulumi("config", "rm", "--path", "kubewright:workers.hosts")).code).toBe(0);
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
}

/** Lists all files. Runs sudo before, because its first use creates a file. */
async function listFiles(machine: OwnMachine | undefined): Promise<string> {
  const excluded = "-path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log";
  const useSudo = `su admin -c 'echo ${SUDO_PASSWORD} | sudo -S true'`;
  return (await machine?.on(`${useSudo}; find / -xdev \\( ${excluded} \\) -prune -o -type f -print | sort`)) ?? "";
}

async function nodeAddresses(): Promise<Record<string, string>> {
  const path = '{range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}';
  const rows = (await kubectl("get", "nodes", "-o", `jsonpath=${path}`)).split("\n").filter(Boolean);
  return Object.fromEntries(rows.map((row) => row.split(" ") as [string, string]));
}

async function waitForNode(node: string): Promise<void> {
  const isReady = async () =>
    (await kubectl("get", "node", node, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === "True"
      ? true
      : undefined;
  await until(isReady, {
    signal: AbortSignal.timeout(130_000),
    timeout: 120,
    onTimeout: () => new Error(`${node} is not Ready`),
  });
}

async function inWorker(script: string): Promise<string> {
  return await vagrantIn(folder, "ssh", "--no-tty", WORKER, "-c", script);
}

/** Returns the id of the worker's container, as recorded by Vagrant. */
async function machineId(): Promise<string> {
  return await output("cat", [join(folder, ".vagrant", "machines", WORKER, "docker", "id")]);
}
