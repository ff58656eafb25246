import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { networkName } from "../../../provider/docker/network";
import { createProviderContext } from "../../../provider/context/context";
import { fingerprint } from "../../../provider/ssh/host-key";
import { newKeyPair } from "../../../provider/ssh/key-pair";
import { internalAddress, kubectlOf, nodeNames, waitForNodes, type Kubectl } from "../../support/cluster-client";
import { connectionTo } from "../../support/connection";
import { Impostor } from "../../support/impostor";
import { OwnMachine } from "../../support/own-machine";
import { TestStack, type Finished } from "../../support/test-stack";

const PASSWORD = "login-password-of-mine";
const SUDO_PASSWORD = "sudo-password-of-mine";
/** Changes whenever the kubelet restarts or the machine is joined again. */
const MEMBERSHIP =
  "systemctl is-active kubelet; systemctl show kubelet -p ExecMainStartTimestampMonotonic; " +
  "stat -c '%n %Y %i' /etc/kubernetes/kubelet.conf /var/lib/kubelet/config.yaml /usr/bin/kubelet; " +
  "ctr -n k8s.io tasks ls -q | sort";

const stack = new TestStack("e2e-identity");
const other = new TestStack("e2e-identity-other");
let mine: OwnMachine;
let kubectl: Kubectl;
/** The host key that is pinned. */
let pinned: string;

beforeAll(async () => {
  await Promise.all([stack.down("--force"), other.down("--force")]); // left by a killed test run
  await succeed(stack.up("--config", "workers.count=0"));
  // `down` deletes the kubeconfig, also when it then refuses to delete a node.
  const kubeconfig = join(stack.stateFolder, "kubeconfig");
  copyFileSync(await stack.kubeconfig(), kubeconfig);
  kubectl = await kubectlOf(stack, kubeconfig);
  const network = networkName(String((await stack.outputs()).stackId));
  mine = await OwnMachine.start({ hostname: "mine", network, hostNumber: 200 });
  await mine.on(`printf 'admin:%s\\n' ${SUDO_PASSWORD} | chpasswd; echo 'admin ALL=(ALL) ALL' > /etc/sudoers.d/admin`);
});

afterAll(async () => {
  await mine?.remove(); // before the network that it is in
  await other.down("--force");
  await stack.down("--force");
  [stack, other].forEach((each) => each.removeFiles());
});

describe("a machine that shows another host key than the pinned one", () => {
  test("is not set up", async () => {
    const expected = newKeyPair().public;
    await configureHost({ hostKey: expected.trim() });
    expectRefusal(await stack.up(), expected, await hostKeyOf(mine));
    expect(await mine.on("ls -d /etc/kubernetes /usr/bin/kubelet 2>/dev/null || true")).toBe("");
    await configureHost();
    await succeed(stack.up());
    await waitForNodes(kubectl, "mine");
    pinned = await hostKeyOf(mine);
  });

  test("is neither updated, nor read by the next run, nor refreshed", async () => {
    const membership = await mine.on(MEMBERSHIP);
    const shown = await changeHostKey(mine);
    expectRefusal(await stack.up("--config", "workers.kubelet.maxPods=120"), pinned, shown);
    const next = await stack.up();
    expectRefusal(next, pinned, shown);
    expect(next.text).toContain("the last run did not finish: reading every machine first");
    expectRefusal(await stack.up("--refresh"), pinned, shown);
    expectRefusal(await stack.npmRun("drift"), pinned, shown);
    expect(await mine.on(MEMBERSHIP)).toBe(membership);
  });

  test("is updated once the user has accepted its key with the command", async () => {
    const shown = await hostKeyOf(mine);
    await succeed(stack.npmRun("host-key:accept", "mine", digest(shown)));
    const { text } = await succeed(stack.up());
    expect(text).toContain(`the accepted host key ${fingerprint(shown)} is pinned from now on`);
    pinned = shown;
    expect(await mine.on("grep -h maxPods /etc/kubernetes/kubelet.conf.d/*")).toContain("120");
    stack.configure((config) => delete config["kubewright:recovery"]);
    expect((await stack.up()).text).toContain("Nothing to change");
  });

  test("is not cleaned when it is removed from the configuration, before its key is accepted there", async () => {
    const shown = await changeHostKey(mine);
    await configureHost("absent");
    expectRefusal(await stack.up(), pinned, shown);
    expect(await mine.on("systemctl is-active kubelet; ls /etc/kubernetes/kubelet.conf")).toMatch(/^active/);
    await succeed(stack.up("--config", `recovery.acceptHostKeys.mine=${digest(shown)}`));
    expect(await mine.on("ls /etc/kubernetes/kubelet.conf 2>/dev/null || true")).toBe("");
    expect(await nodeNames(kubectl)).toEqual(["control-plane-1"]);
    stack.configure((config) => delete config["kubewright:recovery"]);
  });
});

describe("an impostor at the address of a node", () => {
  let impostor: Impostor;
  let membership: string;

  beforeAll(async () => {
    await configureHost();
    await succeed(stack.up());
    pinned = await hostKeyOf(mine);
    membership = await mine.on(MEMBERSHIP);
    impostor = await Impostor.start();
    if (process.getuid?.() === 0) await impostor.takeOver(mine.address);
  });
  beforeEach(({ skip }) => skip(process.getuid?.() !== 0, "only root can redirect connections"));
  afterAll(() => impostor?.stop());

  test.each([
    ["npm start", () => stack.up("--config", "workers.kubelet.maxPods=121")],
    ["npm start after a failed run", () => stack.up()],
    ["npm start -- --refresh", () => stack.up("--refresh")],
    ["npm run drift", () => stack.npmRun("drift")],
    ["npm run node:replace", () => stack.npmRun("node:replace", "mine", "--yes")],
    ["npm run node:reset", () => stack.npmRun("node:reset", "mine", "--yes")],
    ["npm run down", () => stack.down()],
  ])("sees no password of `%s`, and the node stays", async (_, command) => {
    const before = impostor.connections;
    expectRefusal(await command(), pinned, impostor.hostKey);
    expect(impostor.connections).toBeGreaterThan(before);
    expect(await nodeNames(kubectl)).toContain("mine");
    expect(impostor.received).toEqual([]);
  });

  test("would have seen the passwords without the pinned key", async () => {
    show(`${impostor.connections} connections to the impostor: no login, no password, no command`);
    const provider = createProviderContext();
    const login = { host: mine.address, name: "mine", user: "admin", privateKeyPath: mine.keyPath };
    const connection = connectionTo({ ...login, password: PASSWORD, sudoPassword: SUDO_PASSWORD });
    const options = { step: "connecting", signal: AbortSignal.timeout(30_000) };
    await expect(provider.connections.get(connection).run("true", options)).rejects.toThrow("did not run the command");
    provider.connections.closeAll();
    expect(impostor.received.join("\n")).toContain(PASSWORD);
    expect(impostor.received.join("\n")).toContain(SUDO_PASSWORD);
  });

  test("leaves no trace once the machine is reached again", async () => {
    await impostor.giveBack();
    await configureHost();
    await succeed(stack.up());
    await waitForNodes(kubectl, "mine");
    expect((await stack.up()).text).toContain("Nothing to change");
    expect(await mine.on("systemctl is-active kubelet")).toBe("active");
    expect(membership).not.toBe("");
  });
});

describe("a living node is never reset", () => {
  test("when its host is renamed in the configuration, and named back", async () => {
    const membership = await mine.on(MEMBERSHIP);
    await configureHost({ name: "renamed" });
    const { code, text } = await stack.up();
    expect(code, text).not.toBe(0);
    expect(text).toMatch(/already the node mine of this cluster/);
    expect(await mine.on(MEMBERSHIP)).toBe(membership);
    await configureHost();
    await succeed(stack.up());
    expect(await mine.on(MEMBERSHIP)).toBe(membership);
    await waitForNodes(kubectl, "mine");
  });

  test("when it belongs to another cluster", async () => {
    await succeed(other.up("--config", "workers.count=0"));
    const foreign = await kubectlOf(other);
    const host = await internalAddress(foreign, "control-plane-1");
    // A new cluster still stops kubeadm's second replica of CoreDNS.
    const stopping = () => foreign("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}");
    await expect.poll(stopping, { timeout: 60_000, interval: 500 }).toBe("");
    const membership = await other.on("control-plane-1", MEMBERSHIP);
    const login = { user: "root", privateKeyPath: join(other.stackFolder, "id_ed25519") };
    addHost({ name: "foreign", host, ...login });
    const { code, text } = await stack.up();
    expect(code, text).not.toBe(0);
    expect(text).toContain("it is a control-plane of another cluster");
    await configureHost();
    await succeed(stack.up());
    expect(await other.on("control-plane-1", MEMBERSHIP)).toBe(membership);
    await waitForNodes(foreign, "control-plane-1");
  });
});

test("npm run down cleans the machine", async () => {
  const { text } = await stack.down();
  // The machine is in the stack's network, which is deleted last.
  expect(text.match(/✗ .*/g), text).toEqual([expect.stringMatching(/Network .* has active endpoints/)]);
  expect(await mine.on("ls -d /etc/kubernetes /usr/bin/kubelet 2>/dev/null || true")).toBe("");
});

type Host = Record<string, string>;

/** Lists the machine in the configuration, with its passwords, or removes it. */
async function configureHost(settings: Host | "absent" = {}): Promise<void> {
  const login = { name: "mine", host: mine.address, user: "admin", privateKeyPath: mine.keyPath };
  setHosts(settings === "absent" ? [] : [{ ...login, ...settings }]);
  if (settings === "absent") return;
  await setSecret("password", PASSWORD);
  await setSecret("sudoPassword", SUDO_PASSWORD);
}

function setHosts(hosts: Host[]): void {
  stack.configure((config) => {
    const { hosts: _, ...workers } = config["kubewright:workers"] as { hosts?: Host[] };
    config["kubewright:workers"] = hosts.length > 0 ? { ...workers, hosts } : workers;
  });
}

function addHost(host: Host): void {
  stack.configure((config) => {
    const { hosts = [], ...workers } = config["kubewright:workers"] as { hosts?: Host[] };
    config["kubewright:workers"] = { ...workers, hosts: [...hosts, host] };
  });
}

async function setSecret(property: string, value: string): Promise<void> {
  const path = `kubewright:workers.hosts[0].${property}`;
  const { code, text } = await stack.pulumiQuietly("config", "set", "--secret", "--path", path, value);
  expect(code, text).toBe(0);
}

async function hostKeyOf(machine: OwnMachine): Promise<string> {
  return await machine.on("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
}

/** Creates new host keys, as `ssh-keygen -A` does after the old ones are deleted. Returns the new one. */
async function changeHostKey(machine: OwnMachine): Promise<string> {
  await machine.on("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh");
  return await hostKeyOf(machine);
}

/** Returns `SHA256:...`. */
function digest(key: string): string {
  return fingerprint(key).split(" ")[1] ?? "";
}

function expectRefusal({ code, text }: Finished, expected: string, shown: string): void {
  expect(code, text).not.toBe(0);
  expect(text).toContain(`the host key ${fingerprint(shown)} is not the pinned one (${fingerprint(expected)})`);
}

async function succeed(command: Promise<Finished>): Promise<Finished> {
  const finished = await command;
  expect(finished.code, finished.text).toBe(0);
  return finished;
}

function show(text: string): void {
  process.stdout.write(`    ${stack.name} │ ${text}\n`);
}
