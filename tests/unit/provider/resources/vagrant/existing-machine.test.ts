import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { existingResource } from "../../../../../provider/resources/vagrant/existing-machine";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";

const SSH = "Host db\n  HostName 127.0.0.1\n  Port 2222\n  User vagrant\n  IdentityFile /key\n";
const ADDRESSES = [
  "2: eth0    inet 10.0.2.15/24 scope global eth0",
  "3: eth1    inet 192.168.56.5/24 scope global eth1",
  "--",
  "default via 10.0.2.2 dev eth0",
].join("\n");

let vagrant: FakeDocker;
let vagrantfile: string;
let warnings: string[];
beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  vagrantfile = join(mkdtempSync(join(tmpdir(), "vagrant-test-")), "Vagrantfile");
  writeFileSync(vagrantfile, "");
  warnings = [];
});
afterEach(() => {
  vagrant.remove();
  rmSync(dirname(vagrantfile), { recursive: true, force: true });
});

const inputs = (changes: object = {}) => ({ vagrantfile, machine: "db", ...changes });
const outputs = {
  machineId: "db",
  address: "127.0.0.1",
  port: 2222,
  user: "vagrant",
  privateKeyPath: "/key",
  hostKey: "ssh-ed25519 AAAA",
  privateAddress: "192.168.56.5",
};
const context = () => testContext({ warn: (message) => void warnings.push(message) });
const create = (changes: object = {}) => existingResource.create(context(), inputs(changes));
const runs = () =>
  vagrant
    .on("ssh-config", { stdout: SSH })
    .on("ssh --no-tty -c ip", { stdout: ADDRESSES })
    .on("ssh --no-tty -c cat", { stdout: "ssh-ed25519 AAAA root@db\n" });

describe("a machine of the user's Vagrantfile", () => {
  test("is read, and not started", async () => {
    runs();
    expect(await create()).toEqual({ id: "db", outputs });
    expect(vagrant.calls.every((call) => call.startsWith("ssh"))).toBe(true);
  });

  test("that does not run fails with the command that starts it", async () => {
    vagrant.on("ssh-config", { code: 1 });
    await expect(create()).rejects.toThrow(
      /vagrant ssh-config failed on db: Vagrant runs no machine of this name; run `vagrant up db` in the folder of/,
    );
  });

  test.each([
    ["has no address in the subnet", { subnet: "10.9.0.0/24" }, ADDRESSES, "it has no address in 10.9.0.0/24"],
    ["has only Vagrant's NAT", {}, ADDRESSES.replace(/^3.*\n/m, ""), "its only address is the one of Vagrant's NAT"],
  ])("that %s fails: nodes must reach one another", async (_, changes, stdout, cause) => {
    vagrant.on("ssh-config", { stdout: SSH }).on("ssh --no-tty -c ip", { stdout });
    await expect(create(changes)).rejects.toThrow(`${cause}; add a private network to its Vagrantfile`);
  });
});

test("a Vagrantfile that does not exist is refused at the preview", async () => {
  vagrant.on("--version", { stdout: "Vagrant 2.3.4" });
  expect(await existingResource.check!(inputs(), context())).toEqual([]);
  expect(await existingResource.check!({ vagrantfile: "/no/Vagrantfile" }, context())).toEqual([
    { path: "vagrantfile", reason: "there is no file /no/Vagrantfile on this computer" },
  ]);
});

describe("a refresh", () => {
  const old = () => ({ inputs: inputs(), outputs: { ...outputs, port: 2200 } });

  test("reads a new forwarded port", async () => {
    runs();
    expect((await existingResource.read!(context(), "db", old()))?.outputs).toEqual(outputs);
  });

  test("keeps the recorded state of a machine that is halted", async () => {
    vagrant.on("ssh-config", { code: 1 });
    expect(await existingResource.read!(context(), "db", old())).toEqual(old());
    expect(warnings).toEqual([expect.stringMatching(/^keeping the last known state: .*Vagrant runs no machine/)]);
  });
});

describe("on another computer", () => {
  const old = () => ({ inputs: inputs(), outputs });
  beforeEach(() => rmSync(vagrantfile));

  test("a refresh keeps the recorded state, and says why", async () => {
    expect(await existingResource.read!(context(), "db", old())).toEqual(old());
    expect(warnings).toEqual([
      expect.stringMatching(/^keeping the last known state: .* on db: .*Vagrantfile is not on this computer; run this/),
    ]);
    expect(vagrant.calls).toEqual([]);
  });

  test("an absolute path of an earlier version is that of the same file, and becomes a portable one", async () => {
    vi.stubEnv("KUBEWRIGHT_PROJECT", dirname(vagrantfile));
    writeFileSync(vagrantfile, "");
    const key = join(dirname(vagrantfile), ".vagrant/machines/db/libvirt/private_key");
    vagrant.on("ssh-config", { stdout: SSH.replace("/key", key) });
    runs();
    const portable = { vagrantfile: "Vagrantfile", machine: "db" };
    const absolute = { ...portable, vagrantfile: "/home/ana/lab/Vagrantfile" };
    expect(existingResource.isProtected!(portable, absolute, context())).toBe(true);
    expect(existingResource.isProtected!({ ...portable, machine: "other" }, absolute, context())).toBe(false);
    const updated = await existingResource.update!(context(), "db", portable, { inputs: absolute, outputs });
    expect(updated).toEqual({ ...outputs, privateKeyPath: ".vagrant/machines/db/libvirt/private_key" });
    vi.unstubAllEnvs();
  });
});

test("a delete leaves the machine alone", () => {
  expect(existingResource.delete).toBeUndefined();
});
