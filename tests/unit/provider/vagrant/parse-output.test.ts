import { describe, expect, test } from "vitest";
import { bestHostKey, otherAddresses, parseSshConfig, parseStatus } from "../../../../provider/vagrant/parse-output";
import { parseBoxes } from "../../../../provider/resources/vagrant/box";
import { CallBatcher } from "../../../../provider/vagrant/call-batcher";
import { pluginProblem, versionProblem } from "../../../../provider/vagrant/preflight";

describe("Vagrant's output", () => {
  test("ssh-config: one section per machine, with the machine's own key", () => {
    const found = parseSshConfig(`Host worker-1
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  IdentityFile "/home/me/my clusters/.vagrant/machines/worker-1/virtualbox/private_key"
  IdentityFile /home/me/.vagrant.d/insecure_private_key

Host worker-2
  HostName 192.168.121.7
  User fedora
  IdentityFile /keys/two
`);
    expect(Object.fromEntries(found)).toEqual({
      "worker-1": {
        host: "127.0.0.1",
        port: 2222,
        user: "vagrant",
        privateKeyPath: "/home/me/my clusters/.vagrant/machines/worker-1/virtualbox/private_key",
      },
      "worker-2": { host: "192.168.121.7", port: 22, user: "fedora", privateKeyPath: "/keys/two" },
    });
    expect(parseSshConfig("").size).toBe(0);
  });

  test("status: the state of each machine", () => {
    const text =
      "1,worker-1,metadata,provider,docker\n1,worker-1,provider-name,docker\n1,worker-1,state,running\n" +
      "1,worker-2,state,not_created\r\n1,,ui,info,Current machine states";
    expect(Object.fromEntries(parseStatus(text))).toEqual({ "worker-1": "running", "worker-2": "not_created" });
  });

  test("box list: name, provider and version of each", () => {
    const text =
      "1,,ui,info,fedora (libvirt\\, 41)\n1,,box-name,fedora\n1,,box-provider,libvirt\n1,,box-version,41\n" +
      "1,,box-name,debian\n1,,box-provider,virtualbox\n1,,box-version,12";
    expect(parseBoxes(text)).toEqual([
      { box: "fedora", provider: "libvirt", version: "41" },
      { box: "debian", provider: "virtualbox", version: "12" },
    ]);
    expect(parseBoxes("1,,ui,warn,There are no installed boxes!")).toEqual([]);
  });

  test("host keys: the one that OpenSSH would choose, without its comment", () => {
    expect(bestHostKey("ecdsa-sha2-nistp256 BBBB root@x\nssh-ed25519 AAAA root@x\r\nssh-rsa CCCC root@x")).toBe(
      "ssh-ed25519 AAAA",
    );
    expect(bestHostKey("ssh-rsa CCCC root@x")).toBe("ssh-rsa CCCC");
    expect(bestHostKey("cat: no such file")).toBeUndefined();
  });

  test("addresses: without those on Vagrant's own interface", () => {
    const addresses =
      "2: eth0    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0\n" +
      "3: eth1    inet 192.168.56.11/24 scope global eth1\n";
    expect(otherAddresses(addresses, "default via 10.0.2.2 dev eth0 proto dhcp")).toEqual(["192.168.56.11"]);
    expect(otherAddresses(addresses, "")).toEqual(["10.0.2.15", "192.168.56.11"]);
  });
});

describe("Vagrant preflight", () => {
  test.each([
    ["Vagrant 2.3.4", undefined],
    ["Vagrant 2.4.9\n", undefined],
    ["Vagrant 2.2.19", /2\.2\.19.*2\.3\.0 or later is required.*apt-get install vagrant/],
    ["what", /unknown version/],
    [undefined, /Vagrant is not installed; install Vagrant/],
  ])("checks the version: %s", (output, expected) => {
    const problem = versionProblem(output);
    if (expected) expect(problem).toMatch(expected);
    else expect(problem).toBeUndefined();
  });

  test("requires the provider's plugin", () => {
    expect(pluginProblem("libvirt", "vagrant-libvirt", "vagrant-libvirt (0.12.2, system)\n")).toBeUndefined();
    expect(pluginProblem("libvirt", "vagrant-libvirt", "vagrant-libvirt-more (1, global)\n")).toMatch(
      /vagrant plugin install vagrant-libvirt/,
    );
  });
});

describe("CallBatcher", () => {
  test("processes parallel calls together, and calls made during a batch in the next", async () => {
    const batches: string[][] = [];
    let more: Promise<string> | undefined;
    const batcher: CallBatcher<string, string> = new CallBatcher(async (items) => {
      batches.push(items);
      more ??= batcher.add("late");
      return (item) => Promise.resolve(`${item} done`);
    });
    expect(await Promise.all([batcher.add("a"), batcher.add("b")])).toEqual(["a done", "b done"]);
    expect(await more).toBe("late done");
    expect(batches).toEqual([["a", "b"], ["late"]]);
  });

  test("fails all calls of a failed batch, and processes the next batch", async () => {
    const batcher: CallBatcher<string, string> = new CallBatcher(async (items) => {
      if (items.includes("bad")) throw new Error("no such box");
      return (item) => Promise.resolve(item);
    });
    await expect(Promise.allSettled([batcher.add("bad"), batcher.add("other")])).resolves.toMatchObject([
      { reason: { message: "no such box" } },
      { reason: { message: "no such box" } },
    ]);
    await expect(batcher.add("good")).resolves.toBe("good");
  });

  test("fails one call of a batch", async () => {
    const batcher: CallBatcher<string, string> = new CallBatcher(
      async () => (item) => (item === "bad" ? Promise.reject(new Error("it is down")) : Promise.resolve(item)),
    );
    await expect(Promise.allSettled([batcher.add("bad"), batcher.add("good")])).resolves.toMatchObject([
      { status: "rejected" },
      { value: "good" },
    ]);
  });
});
