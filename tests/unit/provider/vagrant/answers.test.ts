import { describe, expect, test } from "vitest";
import { bestHostKey, otherAddresses, parseSshConfig, parseStatus } from "../../../../provider/vagrant/answers";
import { parseBoxes } from "../../../../provider/vagrant/box-resource";
import { Gatherer } from "../../../../provider/vagrant/gather";
import { pluginTrouble, versionTrouble } from "../../../../provider/vagrant/preflight";

describe("what Vagrant answers", () => {
  test("ssh-config: one section per machine, the machine's own key", () => {
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
      "1,worker-1,metadata,provider,docker\n1,worker-1,provider-name,docker\n1,worker-1,state,running\n1,worker-2,state,not_created\r\n1,,ui,info,Current machine states";
    expect(Object.fromEntries(parseStatus(text))).toEqual({ "worker-1": "running", "worker-2": "not_created" });
  });

  test("box list: name, provider and version of each", () => {
    const text =
      "1,,ui,info,fedora (libvirt\\, 41)\n1,,box-name,fedora\n1,,box-provider,libvirt\n1,,box-version,41\n1,,box-name,debian\n1,,box-provider,virtualbox\n1,,box-version,12";
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

  test("addresses: those that are not on Vagrant's own interface", () => {
    const addresses =
      "2: eth0    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0\n3: eth1    inet 192.168.56.11/24 scope global eth1\n";
    expect(otherAddresses(addresses, "default via 10.0.2.2 dev eth0 proto dhcp")).toEqual(["192.168.56.11"]);
    expect(otherAddresses(addresses, "")).toEqual(["10.0.2.15", "192.168.56.11"]);
  });
});

describe("what is missing on this computer", () => {
  test.each([
    ["Vagrant 2.3.4", undefined],
    ["Vagrant 2.4.9\n", undefined],
    ["Vagrant 2.2.19", /2\.2\.19.*2\.3\.0 is the oldest.*apt-get install vagrant/],
    ["what", /unknown version/],
    [undefined, /no vagrant.*install Vagrant/],
  ])("%s", (said, expected) => {
    const trouble = versionTrouble(said);
    if (expected) expect(trouble).toMatch(expected);
    else expect(trouble).toBeUndefined();
  });

  test("a provider's plugin", () => {
    expect(pluginTrouble("libvirt", "vagrant-libvirt", "vagrant-libvirt (0.12.2, system)\n")).toBeUndefined();
    expect(pluginTrouble("libvirt", "vagrant-libvirt", "vagrant-libvirt-more (1, global)\n")).toMatch(
      /vagrant plugin install vagrant-libvirt/,
    );
  });
});

describe("calls that come together", () => {
  test("are done as one, and those that come meanwhile as the next", async () => {
    const rounds: string[][] = [];
    let more: Promise<string> | undefined;
    const gatherer: Gatherer<string, string> = new Gatherer(async (items) => {
      rounds.push(items);
      more ??= gatherer.add("late");
      return (item) => Promise.resolve(`${item} done`);
    });
    expect(await Promise.all([gatherer.add("a"), gatherer.add("b")])).toEqual(["a done", "b done"]);
    expect(await more).toBe("late done");
    expect(rounds).toEqual([["a", "b"], ["late"]]);
  });

  test("all are told why they failed, and the next round is not held back", async () => {
    const gatherer: Gatherer<string, string> = new Gatherer(async (items) => {
      if (items.includes("bad")) throw new Error("no such box");
      return (item) => Promise.resolve(item);
    });
    await expect(Promise.allSettled([gatherer.add("bad"), gatherer.add("other")])).resolves.toMatchObject([
      { reason: { message: "no such box" } },
      { reason: { message: "no such box" } },
    ]);
    await expect(gatherer.add("good")).resolves.toBe("good");
  });

  test("one may fail by itself", async () => {
    const gatherer: Gatherer<string, string> = new Gatherer(
      async () => (item) => (item === "bad" ? Promise.reject(new Error("it is down")) : Promise.resolve(item)),
    );
    await expect(Promise.allSettled([gatherer.add("bad"), gatherer.add("good")])).resolves.toMatchObject([
      { status: "rejected" },
      { value: "good" },
    ]);
  });
});
