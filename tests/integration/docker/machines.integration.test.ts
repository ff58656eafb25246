import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isContainerRemoved } from "../../../provider/docker/removed-container";
import { removeStack } from "../../../provider/docker/remove-stack";
import { output } from "../../../common/process";
import {
  belongings,
  context,
  docker,
  dockerIsMissing,
  handler,
  makeKeys,
  refreshed,
  type Keys,
  type Made,
  type Values,
} from "./support";

const STACK = `test-${process.pid}`;
const signal = AbortSignal.timeout(600_000);

describe("machines in containers", () => {
  let missing: string | undefined;
  let keys: Keys;
  let image: Made;
  let network: Made;
  let one: Made;
  let two: Made;
  let twoId: string;
  const networkInputs: Values = { stack: STACK, avoid: ["10.244.0.0/16"] };
  const inputs = (hostname: string, index: number, more: Values = {}): Values => ({
    ...{ stack: STACK, hostname, index, image: image.outputs.ref, network: network.outputs.networkName },
    ...{ authorizedKey: keys.publicKey, running: true, ...more },
  });
  const on = (machine: Made, command: string, user?: string) => keys.ssh(machine.outputs, command, user);

  beforeAll(async () => {
    missing = await dockerIsMissing();
    if (missing && process.env.CI) throw new Error(missing);
    if (missing) return;
    keys = await makeKeys();
    image = await handler("Image").create(context("image"), {});
    network = await handler("Network").create(context("network"), networkInputs);
    [one, two] = await Promise.all([
      handler("Machine").create(context("one"), inputs("one", 1)),
      handler("Machine").create(context("two"), inputs("two", 2)),
    ]);
    twoId = await output("docker", ["exec", two.id, "cat", "/etc/machine-id"]);
  }, 300_000);

  beforeEach(({ skip }) => skip(missing !== undefined, missing));

  afterAll(async () => {
    if (missing) return;
    await removeStack(STACK, signal);
    await keys.remove();
  }, 60_000);

  test("the host key from Docker is the one that SSH presents", async () => {
    const scanned = await output("ssh-keyscan", [
      "-t",
      "ed25519",
      "-p",
      String(one.outputs.port),
      String(one.outputs.address),
    ]);
    expect(scanned.split("\n").find((line) => !line.startsWith("#"))).toContain(one.outputs.hostKey);
    expect(one.outputs.hostKey).not.toBe(two.outputs.hostKey);
  });

  test("root and admin log in with the key, and admin has sudo", async () => {
    expect(await on(one, "id -un")).toBe("root");
    expect(await on(one, "sudo -n id -un", "admin")).toBe("root");
  });

  test("systemd runs without failed units", async () => {
    expect(await on(one, "systemctl is-system-running --wait; systemctl --failed --plain --no-legend")).toBe("running");
  });

  test("machines reach each other and have different identities: machine-id, boot-id, host name", async () => {
    expect(await on(one, `ping -c1 -W2 ${String(two.outputs.privateAddress)} >/dev/null && echo reached`)).toBe(
      "reached",
    );
    const identity = "cat /etc/machine-id /proc/sys/kernel/random/boot_id /etc/hostname";
    const [first = [], second = []] = (await Promise.all([on(one, identity), on(two, identity)])).map((text) =>
      text.split("\n"),
    );
    expect(first).toHaveLength(3);
    expect(first.filter((line) => second.includes(line))).toEqual([]);
  });

  test("the files that Docker mounts over belong to the machine, and survive a restart", async () => {
    await on(one, "sed -i '$ a 192.0.2.9 api.test' /etc/hosts && hostnamectl set-hostname renamed");
    expect(await on(one, "cat /etc/hostname && uname -n")).toBe("renamed\nrenamed");
    await docker("restart", "--time", "20", one.id);
    one.outputs = await handler("Machine").update(context("one"), one.id, inputs("one", 1), {
      inputs: inputs("one", 1),
      outputs: one.outputs,
    });
    expect(await on(one, "grep -c api.test /etc/hosts; uname -n; grep -c ^nameserver /etc/resolv.conf")).toMatch(
      /^1\nrenamed\n[1-9]/,
    );
  });

  test("kernel features that a node needs work, and host-wide settings do not change", async () => {
    expect(
      await on(
        two,
        "modprobe -a br_netfilter overlay && sysctl -n -w net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1",
      ),
    ).toBe("1\n1");
    const group = "$([ -d /sys/fs/cgroup/memory ] && echo /sys/fs/cgroup/memory || echo /sys/fs/cgroup)/test";
    expect(await on(two, `mkdir ${group} && rmdir ${group} && test -c /dev/kmsg && echo yes`)).toBe("yes");
    expect(await on(two, "stat -f -c %T /var/lib/containerd")).not.toContain("overlay");
    const before = await output("cat", ["/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/panic"]);
    expect(await on(two, "sysctl -n -w vm.overcommit_memory=1 kernel.panic=77")).toBe("1\n77");
    expect(await output("cat", ["/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/panic"])).toBe(before);
  });

  test("a second create takes over the existing resources", async () => {
    const again = await handler("Machine").create(context("one"), inputs("one", 1));
    expect(again).toEqual(one);
    expect(await handler("Network").create(context("network"), networkInputs)).toEqual(network);
    expect(await handler("Image").create(context("image"), {})).toEqual(image);
  });

  test("replaces the leftovers of an interrupted run that do not match", async () => {
    const first = await handler("Machine").create(context("five"), inputs("five", 5));
    const moved = await handler("Machine").create(context("five"), inputs("five", 6));
    expect(moved.id).not.toBe(first.id);
    expect(await on(moved, "uname -n")).toBe("five");
    await handler("Machine").delete(context("five"), moved.id, { inputs: inputs("five", 6), outputs: moved.outputs });
  });

  test("a refresh finds no changes", async () => {
    expect(await refreshed("Machine", two, inputs("two", 2))).toEqual({
      inputs: inputs("two", 2),
      outputs: two.outputs,
    });
    expect(await refreshed("Network", network, networkInputs)).toEqual({
      inputs: networkInputs,
      outputs: network.outputs,
    });
    expect(await refreshed("Image", image, {})).toEqual({ inputs: {}, outputs: image.outputs });
  });

  test("a refresh reports a stopped machine, and the next update starts the same machine", async () => {
    await docker("stop", "--time", "20", two.id);
    const found = await refreshed("Machine", two, inputs("two", 2));
    expect(found?.inputs).toEqual(inputs("two", 2, { running: false }));
    expect(await isContainerRemoved({ address: String(two.outputs.address), instance: twoId }, signal)).toBe(false);
    const outputs = await handler("Machine").update(context("two"), two.id, inputs("two", 2), {
      inputs: found?.inputs ?? {},
      outputs: two.outputs,
    });
    expect(outputs).toEqual(two.outputs);
    expect(await on(two, "uname -n")).toBe("two");
  });

  test("changes the size and the key in place", async () => {
    const other = await makeKeys();
    const news = inputs("two", 2, { cpus: 0.5, memory: 512, authorizedKey: other.publicKey });
    await handler("Machine").update(context("two"), two.id, news, { inputs: inputs("two", 2), outputs: two.outputs });
    expect((await refreshed("Machine", two, news))?.inputs).toEqual(news);
    expect(await other.ssh(two.outputs, "echo in")).toBe("in");
    await expect(on(two, "true")).rejects.toThrow("Permission denied");
    const back = inputs("two", 2);
    await handler("Machine").update(context("two"), two.id, back, { inputs: news, outputs: two.outputs });
    expect(await on(two, "echo in")).toBe("in");
    await other.remove();
  });

  test("a reboot from inside keeps the machine's identity", async () => {
    const before = await on(two, "cat /etc/machine-id /proc/sys/kernel/random/boot_id");
    await on(two, "systemctl reboot").catch(() => undefined);
    await expect
      .poll(() => on(two, "cat /etc/machine-id").catch(() => ""), { timeout: 40_000, interval: 500 })
      .toBe(before.split("\n")[0]);
    expect(await on(two, "cat /proc/sys/kernel/random/boot_id")).not.toBe(before.split("\n")[1]);
  });

  test("does not touch a container of the same name that belongs to another owner", async () => {
    const id = await docker(
      "create",
      "--name",
      `kubewright-${STACK}-three`,
      "--label",
      `io.kubewright.stack=${STACK}`,
      String(image.outputs.ref),
    );
    await expect(handler("Machine").create(context("three"), inputs("three", 3))).rejects.toThrow(
      "does not belong to this stack",
    );
    await handler("Machine").delete(context("three"), id, {
      inputs: { ...inputs("three", 3), stack: "other" },
      outputs: {},
    });
    expect(await docker("ps", "--all", "--quiet", "--no-trunc", "--filter", `id=${id}`)).toBe(id);
  });

  test("reports why a machine does not start", async () => {
    const broken = inputs("four", 4, { memory: 1024 });
    const { id } = await handler("Machine").create(context("four"), broken);
    await docker("exec", id, "rm", "/lib/systemd/systemd");
    await docker("stop", "--time", "1", id);
    const error = await handler("Machine")
      .update(context("four"), id, broken, { inputs: broken, outputs: {} })
      .catch((failure: Error) => failure);
    expect(String((error as Error).message)).toMatch(
      /^start the machine failed on four: .*exited with code.*\/sbin\/init.*docker logs/,
    );
  });

  test("a refresh reports a missing machine, and deleting it again succeeds", async () => {
    await handler("Machine").delete(context("one"), one.id, { inputs: inputs("one", 1), outputs: one.outputs });
    expect(await refreshed("Machine", one, inputs("one", 1))).toBeUndefined();
    await handler("Machine").delete(context("one"), one.id, { inputs: inputs("one", 1), outputs: one.outputs });
  });

  test("Docker proves that another machine has the address of a removed one", async () => {
    const address = String(two.outputs.address);
    expect(await isContainerRemoved({ address, instance: "0".repeat(32) }, signal)).toBe(true);
  });

  test("Docker proves that a container was removed, and nothing about addresses outside its networks", async () => {
    expect(await isContainerRemoved({ address: String(one.outputs.address), instance: "" }, signal)).toBe(true);
    expect(await isContainerRemoved({ address: String(two.outputs.address), instance: twoId }, signal)).toBe(false);
    expect(await isContainerRemoved({ address: "192.0.2.1", instance: "" }, signal)).toBe(false);
  });

  test("the sweep removes everything", async () => {
    expect((await belongings(STACK)).length).toBeGreaterThan(5);
    const swept = await removeStack(STACK, signal);
    expect(swept).toEqual({ containers: 3, networks: 1, volumes: 0 });
    expect(await belongings(STACK)).toEqual([]);
    expect(await refreshed("Network", network, networkInputs)).toBeUndefined();
  });
});
