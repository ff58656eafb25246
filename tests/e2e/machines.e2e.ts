import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import { networkName } from "../../provider/docker/network";
import { output } from "../../common/process";
import { OwnMachine } from "../support/own-machine";
import type { Requirement } from "../support/requirement";
import { TestStack, kubectlOf } from "../support/test-stack";
import { vagrantAvailable, vagrantIn } from "../support/vagrant";

/** Docker's and Vagrant's machines are on one network, which both sections name. */
const SUBNET = "172.31.98.0/24";
const CONFIG = {
  "machines.docker.subnet": SUBNET,
  "machines.vagrant.subnet": SUBNET,
  "machines.vagrant.provider": "docker",
  "workers.machines.kind": "vagrant",
  "workers.count": "1",
};
const WORKER = "worker-1";
/** The control plane is the jump host, too. */
const JUMP = "172.31.98.10";
const SUDO_PASSWORD = "asked-by-sudo-alone";

const stack = new TestStack("e2e-machines");
const folder = join(stack.stackFolder, "vagrant");
let vagrant: Requirement;
let mine: OwnMachine | undefined;
let kubectl: (...args: string[]) => Promise<string>;

describe("a cluster of several kinds of machines", () => {
  beforeAll(async () => {
    vagrant = await vagrantAvailable();
    if (process.env.CI === "true") expect(vagrant.reason).toBe("");
    await stack.down("--force"); // what a killed test run may have left
  });

  beforeEach(({ skip }) => skip(!vagrant.met, vagrant.reason));

  afterAll(async () => {
    await mine?.remove();
    await stack.down("--force");
    stack.removeFiles();
  });

  test("begins with a control plane from Docker and a worker from Vagrant, whose second interface is the nodes'", async () => {
    const { code, text } = await stack.up(
      ...Object.entries(CONFIG).flatMap(([path, value]) => ["--config", `${path}=${value}`]),
    );
    expect(code, text).toBe(0);
    kubectl = await kubectlOf(stack);
    expect(await nodes()).toEqual({ "control-plane-1": "172.31.98.10", [WORKER]: "172.31.98.19" });
    const inside = await inWorker("ip -4 route show default; ip -o -4 addr show eth1; cat .ssh/authorized_keys");
    expect(inside).toMatch(/default via \S+ dev eth0/);
    expect(inside).toContain("172.31.98.19/24");
    expect(inside).not.toContain("vagrant insecure public key");
    // The route to the other node's pods goes by the network that both are on.
    expect(await inWorker("ip -4 route show 10.244.0.0/24")).toContain("via 172.31.98.10 dev eth1");
  });

  test("is not changed by a second run", async () => {
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });

  test("starts again a machine that was halted behind our back, and joins it to nothing anew", async () => {
    const before = await machineId();
    await vagrantIn(folder, "halt", WORKER);
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain(`Machine ${WORKER}: updated`);
    expect(text).not.toContain(`Join ${WORKER}-join: recreating`);
    expect(await machineId()).toBe(before);
    await ready(WORKER);
  });

  describe("a machine that a person has: by an account whose sudo asks for a password, behind a jump host that alone may log in", () => {
    let before = "";

    test("joins with one run, and no password is in plain text anywhere", async () => {
      mine = await OwnMachine.start({
        hostname: "mine",
        network: networkName(String((await stack.outputs()).stackId)),
        place: 200,
      });
      await mine.on(`echo 'admin:${SUDO_PASSWORD}' | chpasswd; echo 'admin ALL=(ALL) ALL' > /etc/sudoers.d/admin`);
      await mine.on(`echo 'AllowUsers admin@${JUMP}' > /etc/ssh/sshd_config.d/only-by-jump.conf; systemctl reload ssh`);
      await stack.on("control-plane-1", `cat >> /home/admin/.ssh/authorized_keys <<'EOF'\n${mine.publicKey}\nEOF`);
      before = await files(mine);
      await list(mine);
      const { code, text } = await stack.up();
      expect(code, text).toBe(0);
      await ready("mine");
      expect(await nodes()).toEqual({ "control-plane-1": JUMP, [WORKER]: "172.31.98.19", mine: "172.31.98.200" });
      expect(await mine.on("journalctl -u ssh -o cat | grep 'Accepted publickey' | sed 's/ port .*//' | sort -u")).toBe(
        `Accepted publickey for admin from ${JUMP}`,
      );
      const state = await stack.quietly("stack", "export");
      expect(state.text).toContain("mine-join");
      for (const plain of [text, state.text, readFileSync(stack.configFile, "utf8")])
        expect(plain).not.toContain(SUDO_PASSWORD);
    });

    test("leaves, and has on it what it had", async () => {
      await unlist();
      expect(Object.keys(await nodes())).not.toContain("mine");
      expect(await files(mine)).toBe(before);
      expect(
        await mine?.on(
          "ip route | grep 10.244; nft list tables | grep kube; systemctl list-units --all --plain | grep -E '(kubelet|containerd).service'; true",
        ),
      ).toBe("");
    });

    test("joins again", async () => {
      if (mine) await list(mine);
      const { code, text } = await stack.up();
      expect(code, text).toBe(0);
      await ready("mine");
    });
  });

  test("replaces the worker: its machine is really destroyed, and another one joins", async () => {
    const before = await machineId();
    const { code, text } = await stack.script("node:replace", WORKER, "--yes");
    expect(code, text).toBe(0);
    expect(await machineId()).not.toBe(before);
    expect(await output("docker", ["ps", "-a", "-q", "--no-trunc"])).not.toContain(before);
    await ready(WORKER);
  });

  test("lets the person's machine go", async () => {
    await unlist();
    expect(Object.keys(await nodes())).toEqual(["control-plane-1", WORKER]);
    await mine?.remove();
    mine = undefined;
  });

  test("goes, and nothing of it is left", async () => {
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

/** Writes the machine into the configuration, as a person does. */
async function list({ address, keyPath }: OwnMachine): Promise<void> {
  stack.configure((config) => {
    const hosts = [{ name: "mine", host: address, user: "admin", privateKeyPath: keyPath, jump: `admin@${JUMP}` }];
    config["kubewright:workers"] = { ...(config["kubewright:workers"] as object), hosts };
  });
  expect(
    (
      await stack.quietly(
        "config",
        "set",
        "--secret",
        "--path",
        "kubewright:workers.hosts[0].sudoPassword",
        SUDO_PASSWORD,
      )
    ).code,
  ).toBe(0);
}

async function unlist(): Promise<void> {
  expect((await stack.pulumi("config", "rm", "--path", "kubewright:workers.hosts")).code).toBe(0);
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
}

/** Every file on it; sudo's note of its first use is there from the beginning. */
async function files(machine: OwnMachine | undefined): Promise<string> {
  const passing = "-path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log";
  return (
    (await machine?.on(
      `su admin -c 'echo ${SUDO_PASSWORD} | sudo -S true'; find / -xdev \\( ${passing} \\) -prune -o -type f -print | sort`,
    )) ?? ""
  );
}

async function nodes(): Promise<Record<string, string>> {
  const path = '{range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}';
  const rows = (await kubectl("get", "nodes", "-o", `jsonpath=${path}`)).split("\n").filter(Boolean);
  return Object.fromEntries(rows.map((row) => row.split(" ") as [string, string]));
}

async function ready(node: string): Promise<void> {
  const look = async () =>
    (await kubectl("get", "node", node, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === "True"
      ? true
      : undefined;
  await until(look, {
    signal: AbortSignal.timeout(130_000),
    timeout: 120,
    onTimeout: () => new Error(`${node} is not Ready`),
  });
}

async function inWorker(script: string): Promise<string> {
  return await vagrantIn(folder, "ssh", "--no-tty", WORKER, "-c", script);
}

/** Of the container that is the worker, as Vagrant knows it. */
async function machineId(): Promise<string> {
  return await output("cat", [join(folder, ".vagrant", "machines", WORKER, "docker", "id")]);
}
