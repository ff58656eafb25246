import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { TestStack } from "../../support/test-stack";
import { obtainVmImage } from "../../support/vm/image";
import { VM_ADDRESS, VirtualMachine, hasKvm } from "../../support/vm/machine";
import { missingForVm } from "../../support/vm/requirements";
import { type MachineState, compareStates, readState } from "../../support/vm/state";

/**
 * A Debian virtual machine with its own kernel, systemd, AppArmor, cgroup v2 and swap, as a person may have one.
 * Without KVM it is emulated, and ten times as slow as a machine, so it needs patience.
 */
const ladder = new TestStack("e2e-vm-ladder");
const cluster = new TestStack("e2e-vm");
const NODE = "vm";
const MINUTE = 60_000;
const PATIENCE = hasKvm() ? 2 : 10;
const SLOW = { timeout: (hasKvm() ? 20 : 90) * MINUTE };
/** What may differ after `npm run down`. */
const STAYS = [
  // Installed packages stay. haproxy has files, a group and a user.
  /^packages: \+ (socat|haproxy|liblua\S+|libopentracing\S+) /,
  /^(files|contents|unit files|run): \+ .*\bhaproxy\b/,
  /^files: \+ \S+ \S+ \/etc\/rsyslog\.d$/,
  /^contents: .* \/etc\/(passwd|group|shadow|gshadow)-?$/,
  /^run: \+ f \/run\/adduser$/, // That of Debian's packages that create a user.
  /^run: \+ f \/run\/xtables\.lock$/, // The lock of all programs that use iptables.
  /^sysctls: . vm\.user_reserve_kbytes /, // The kernel computes it at each boot.
];

let vm: VirtualMachine;
let before: MachineState;
const missing = missingForVm();

const config = (settings: Record<string, string | number>) =>
  Object.entries(settings).flatMap(([path, value]) => ["--config", `${path}=${value}`]);

const machineSettings = () =>
  config({
    "machines.kind": "ssh",
    "machines.ssh.hosts[0].name": NODE,
    "machines.ssh.hosts[0].role": "control-plane",
    "machines.ssh.hosts[0].host": "127.0.0.1",
    "machines.ssh.hosts[0].port": vm.port,
    "machines.ssh.hosts[0].user": "admin",
    "machines.ssh.hosts[0].privateKeyPath": vm.keyPath,
    "machines.ssh.hosts[0].privateAddress": VM_ADDRESS,
    "timeouts.patience": PATIENCE,
    "workers.count": 0,
  });

async function up(stack: TestStack, ...args: string[]): Promise<string> {
  const { code, text } = await stack.up(...args);
  expect(code, text).toBe(0);
  return text;
}

/** Its cache is where the machine's state is not compared. */
const KUBECTL = "kubectl --cache-dir /var/cache/kubectl --kubeconfig /etc/kubernetes/admin.conf";
const kubectl = (args: string) => vm.run(`${KUBECTL} ${args}`);

/** Lists the pods that do not run, or whose containers are not ready. */
const unreadyPods = async () =>
  (await kubectl("get pods -A --no-headers"))
    .split("\n")
    .filter((line) => line !== "" && !/ (\d+)\/\1 +Running /.test(line))
    .join("\n");

async function waitForPods(): Promise<void> {
  let last = "";
  const ready = async () => {
    last = await unreadyPods().catch(String);
    return last === "" ? true : undefined;
  };
  const onTimeout = (seconds: number) => new Error(`not ready after ${seconds} s:\n${last}`);
  const { signal } = new AbortController();
  await until(ready, { signal, timeout: 120, patience: PATIENCE, every: 3_000, onTimeout });
}

/** Runs `npm run down` and compares the machine with what it was before. */
async function expectNothingLeft(stack: TestStack): Promise<void> {
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(compareStates(before, await readState(vm), STAYS).join("\n")).toBe("");
}

beforeAll(async () => {
  for (const stack of [ladder, cluster]) await stack.down("--force"); // left by a killed test run
  if (missing !== undefined) return;
  const progress = (message: string) => process.stdout.write(`    ${message}\n`);
  vm = await VirtualMachine.start(await obtainVmImage(progress, AbortSignal.timeout(30 * MINUTE)));
}, 60 * MINUTE);

beforeEach(({ skip }) => skip(missing !== undefined, missing));

afterAll(async () => {
  if (missing === undefined) await vm.remove();
  for (const stack of [ladder, cluster]) {
    await stack.down("--force");
    stack.removeFiles();
  }
});

describe("the ladder's first rungs on a virtual machine, as user admin with sudo", SLOW, () => {
  /** curl and wget are not installed on the machine. */
  const hello = async () =>
    await vm.run(
      `bash -c "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\\\r\\\\n\\\\r\\\\n' >&3; tail -n 1 <&3"`,
    );

  test("refuses swap, with what to do", async () => {
    const { code, text } = await ladder.up(
      ...machineSettings(),
      ...config({ bootstrap: "components", rung: "kubelet" }),
    );
    expect(code).not.toBe(0);
    expect(text).toMatch(/swap is on \(\d+ MiB\), and the kubelet refuses to start/);
    expect(text).toContain("swapoff -a");
    expect(await vm.run("ls /usr/local/bin; ls -d /etc/kubernetes /var/lib/kubewright 2>/dev/null; true")).toBe("");
    // The reload removes the unit that systemd generated from the line of fstab: it is not ours to bring back.
    await vm.run("swapoff -a && sed -i '/ swap /d' /etc/fstab && systemctl daemon-reload");
    before = await readState(vm);
  });

  test("kubelet: runs a static pod", async () => {
    await up(ladder);
    expect(await hello()).toBe(`hello from ${NODE}`);
  });

  test("etcd: is added, and the static pod stays", async () => {
    await up(ladder, ...config({ rung: "etcd" }));
    expect(await hello()).toBe(`hello from ${NODE}`);
  });

  test("is after `npm run down` what it was before", () => expectNothingLeft(ladder));
});

describe("a control plane on a virtual machine, as user admin with sudo", SLOW, () => {
  test("becomes a Ready node", async () => {
    expect(await up(cluster, ...machineSettings())).toMatch(new RegExp(`${NODE} +Ready `));
    await waitForPods();
  });

  test("changes nothing on the second run", async () => {
    expect(await up(cluster, "--refresh")).toContain("Nothing to change");
  });

  test("applies changed settings of the kubelet, and keeps its pods", async () => {
    const pods = () => kubectl("get pods -A -o name");
    const running = await pods();
    await up(cluster, ...config({ "controlPlane.kubelet.maxPods": 150 }));
    expect(await kubectl(`get node ${NODE} -o 'jsonpath={.status.capacity.pods}'`)).toBe("150");
    expect(await pods()).toBe(running);
  });

  test("keeps the guard's route when systemd-networkd restarts, and restores one that was deleted", async () => {
    const routes = () => vm.run("ip route show type unreachable");
    const guarded = await routes();
    expect(guarded).not.toBe("");
    await vm.run("systemctl restart systemd-networkd");
    expect(await routes()).toBe(guarded);
    await vm.run(`ip route del ${guarded.trim()}`);
    const { text } = await cluster.npmRun("drift");
    expect(text).toContain("kubewright-guard.service");
    await up(cluster, "--refresh");
    expect(await routes()).toBe(guarded);
  });

  test("comes back after a reboot, which drift reports", async () => {
    await vm.reboot();
    await waitForPods();
    const { code, text } = await cluster.npmRun("drift");
    expect(code, text).toBe(0);
    expect(text).toContain("was rebooted since the last run");
  });

  test("is after `npm run down` what it was before", () => expectNothingLeft(cluster));
});
