import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { TestStack } from "../../support/test-stack";
import { obtainVmImage } from "../../support/vm/image";
import { VM_ADDRESS, VirtualMachine } from "../../support/vm/machine";
import { missingForVm } from "../../support/vm/requirements";
import { type MachineState, compareStates, readState } from "../../support/vm/state";

/**
 * A Debian virtual machine with its own kernel, systemd, AppArmor, cgroup v2 and swap, as a person may have one.
 * Without KVM it is emulated, and ten times as slow as a machine, so it needs patience.
 */
const stack = new TestStack("e2e-vm");
const NODE = "vm";
const PATIENCE = 10;
const MINUTE = 60_000;
/** What may differ after `npm run down`: installed packages stay. */
const STAYS = [/^packages: \+ socat /];

let vm: VirtualMachine;
let before: MachineState;
const missing = missingForVm();

const config = (settings: Record<string, string | number>) =>
  Object.entries(settings).flatMap(([path, value]) => ["--config", `${path}=${value}`]);

const kubectl = (args: string) => vm.run(`kubectl --kubeconfig /etc/kubernetes/admin.conf ${args}`);

/** Names of the pods that do not run, or whose containers are not ready. */
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
  const options = { signal: new AbortController().signal, timeout: 60, patience: PATIENCE, every: 3_000, onTimeout };
  await until(ready, options);
}

/** Runs `npm run down` and compares the machine with what it was before. */
async function expectNothingLeft(): Promise<void> {
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(compareStates(before, await readState(vm), STAYS)).toEqual([]);
}

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  if (missing !== undefined) return;
  const progress = (message: string) => process.stdout.write(`    ${message}\n`);
  vm = await VirtualMachine.start(await obtainVmImage(progress, AbortSignal.timeout(15 * MINUTE)));
}, 30 * MINUTE);

beforeEach(({ skip }) => skip(missing !== undefined, missing));

afterAll(async () => {
  await (missing === undefined ? vm.remove() : undefined);
  await stack.down("--force");
  stack.removeFiles();
});

describe("a control plane on a virtual machine, as user admin with sudo", () => {
  test("refuses swap, with what to do", async () => {
    const { code, text } = await stack.up(
      ...config({
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
      }),
    );
    expect(code).not.toBe(0);
    expect(text).toMatch(/swap is on \(\d+ MiB\), and the kubelet refuses to start/);
    expect(text).toContain("swapoff -a");
    expect(await vm.run("ls /usr/local/bin /etc/kubernetes 2>/dev/null; true")).toBe("/usr/local/bin:");
  });

  test("becomes a Ready node", async () => {
    await vm.run("swapoff -a && sed -i '/ swap /d' /etc/fstab");
    before = await readState(vm);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(new RegExp(`${NODE} +Ready `));
    await waitForPods();
  });

  test("changes nothing on the second run", async () => {
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });

  test("applies changed settings of the kubelet, and keeps its pods", async () => {
    const pods = () => kubectl("get pods -A -o name");
    const running = await pods();
    const { code, text } = await stack.up(...config({ "controlPlane.kubelet.maxPods": 150 }));
    expect(code, text).toBe(0);
    expect(await kubectl(`get node ${NODE} -o 'jsonpath={.status.capacity.pods}'`)).toBe("150");
    expect(await pods()).toBe(running);
  });

  test("restores the guard's route", async () => {
    const route = "ip route show type unreachable";
    const guarded = await vm.run(route);
    expect(guarded).not.toBe("");
    await vm.run("systemctl restart systemd-networkd");
    expect(await vm.run(route)).toBe(guarded);
    await vm.run(`ip route del ${guarded.trim()}`);
    const drift = await stack.npmRun("drift");
    expect(drift.text).toContain("kubewright-guard.service");
    expect((await stack.up("--refresh")).code).toBe(0);
    expect(await vm.run(route)).toBe(guarded);
  });

  test("comes back after a reboot, which drift reports", async () => {
    await vm.reboot();
    await waitForPods();
    const { code, text } = await stack.npmRun("drift");
    expect(code, text).toBe(0);
    expect(text).toContain("was rebooted since the last run");
  });

  test("is after `npm run down` what it was before", expectNothingLeft);
});

describe("the ladder's first rungs on a virtual machine", () => {
  /** curl and wget are not installed on the machine. */
  const hello = async () =>
    await vm.run(
      `bash -c "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\\\r\\\\n\\\\r\\\\n' >&3; tail -n 1 <&3"`,
    );

  test("kubelet: runs a static pod", async () => {
    const { code, text } = await stack.up(...config({ bootstrap: "components", rung: "kubelet" }));
    expect(code, text).toBe(0);
    expect(await hello()).toBe(`hello from ${NODE}`);
  });

  test("etcd: is added, and the static pod stays", async () => {
    const { code, text } = await stack.up(...config({ rung: "etcd" }));
    expect(code, text).toBe(0);
    expect(await hello()).toBe(`hello from ${NODE}`);
  });

  test("is after `npm run down` what it was before", expectNothingLeft);
});
