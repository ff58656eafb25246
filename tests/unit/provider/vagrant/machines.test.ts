import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silent } from "../../../../common/progress";
import { choosePrivateAddress } from "../../../../provider/resources/vagrant/existing-machine";
import { VagrantFolder } from "../../../../provider/vagrant/folder";
import { VagrantFolders, destroyFolder, readSshConfigs } from "../../../../provider/vagrant/machines";
import { VagrantProblems } from "../../../../provider/vagrant/preflight";
import type { VagrantMachine } from "../../../../render/vagrantfile";
import { FakeDocker } from "../docker/fake-docker";

const signal = new AbortController().signal;
const SSH = (name: string) => `Host ${name}\n  HostName 127.0.0.1\n  Port 2222\n  User vagrant\n  IdentityFile /key\n`;

let vagrant: FakeDocker;
let folder: string;
beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  folder = join(mkdtempSync(join(tmpdir(), "vagrant-test-")), "stack");
  vi.stubEnv("XDG_CACHE_HOME", dirname(folder));
});
afterEach(() => {
  vagrant.remove();
  rmSync(dirname(folder), { recursive: true, force: true });
});

function machine(name: string): VagrantMachine {
  return { name, provider: "libvirt", box: "b", address: "10.0.0.2", subnet: "10.0.0.0/24", syncedFolder: false };
}

const task = (name: string, progress = silent) => ({ machine: machine(name), progress, signal });

describe("starting machines", () => {
  test("uses one command for machines that are requested together", async () => {
    vagrant.on("up", { stdout: "==> b: Booting\n" }).on("ssh-config", { stdout: SSH("a") + SSH("b") });
    const folders = new VagrantFolders();
    const messages: string[] = [];
    const [first] = await Promise.all([
      folders.up(folder, task("a")),
      folders.up(
        folder,
        task("b", (message) => messages.push(message)),
      ),
    ]);
    expect(first).toEqual({ host: "127.0.0.1", port: 2222, user: "vagrant", privateKeyPath: "/key" });
    expect(vagrant.calls[0]).toBe("up --no-color --provider libvirt a b");
    expect(messages).toEqual(["vagrant up: a, b", "vagrant: Booting"]);
    expect(new VagrantFolder(folder).machines().map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("goes on when the deadline of one of the machines has passed", async () => {
    vagrant.on("up", {}).on("ssh-config", { stdout: SSH("a") + SSH("b") });
    const folders = new VagrantFolders();
    const deadline = new AbortController();
    const first = folders.up(folder, { ...task("a"), signal: deadline.signal });
    const other = folders.up(folder, task("b"));
    deadline.abort(new Error("the deadline of a"));
    expect((await Promise.allSettled([first, other]))[1]).toMatchObject({ value: { port: 2222 } });
  });

  test("fails only the machine that Vagrant could not start, with the end of its output", async () => {
    vagrant.on("up", { code: 1, stderr: "b: no such box" });
    vagrant
      .on("ssh-config a b", { code: 1 })
      .on("ssh-config a", { stdout: SSH("a") })
      .on("ssh-config b", { code: 1 });
    const folders = new VagrantFolders();
    const [a, b] = await Promise.allSettled([folders.up(folder, task("a")), folders.up(folder, task("b"))]);
    expect(a.status).toBe("fulfilled");
    expect(b).toMatchObject({
      reason: { message: expect.stringMatching(/vagrant up failed on b: b: no such box; run/) as string },
    });
  });
});

test("reads the states of a folder with one command", async () => {
  vagrant.on("status", { stdout: "1,a,state,running\n1,b,state,poweroff\n" });
  new VagrantFolder(folder).define([machine("a"), machine("b")]);
  const folders = new VagrantFolders();
  const states = await Promise.all(["a", "b", "c"].map((name) => folders.readState(folder, name, signal)));
  expect(states).toEqual(["running", "poweroff", "not_created"]);
  expect(vagrant.calls).toHaveLength(1);
});

describe("destroying machines", () => {
  test("removes their definitions, and the folder together with the last one", async () => {
    vagrant.on("destroy", {});
    new VagrantFolder(folder).define([machine("a"), machine("b")]);
    await new VagrantFolders().destroy(folder, task("a"));
    expect(new VagrantFolder(folder).machines().map(({ name }) => name)).toEqual(["b"]);
    expect(await destroyFolder(folder, signal)).toBe(1);
    expect(await destroyFolder(folder, signal)).toBe(0);
    expect(vagrant.calls).toEqual(["destroy --no-color --force a", "destroy --no-color --force b"]);
  });

  test("keeps the definition when Vagrant fails", async () => {
    vagrant.on("destroy", { code: 1, stderr: "the machine is locked" });
    new VagrantFolder(folder).define([machine("a")]);
    await expect(new VagrantFolders().destroy(folder, task("a"))).rejects.toThrow(/the machine is locked; run/);
    expect(new VagrantFolder(folder).has("a")).toBe(true);
  });
});

test("reads the provider's id of a machine", () => {
  const vagrantFolder = new VagrantFolder(folder);
  expect(vagrantFolder.machineId(machine("a"))).toBeUndefined();
  const file = join(folder, ".vagrant/machines/a/libvirt/id");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "uuid\n");
  expect(vagrantFolder.machineId(machine("a"))).toBe("uuid");
});

test("has no SSH settings for a machine that does not run", async () => {
  vagrant.on("ssh-config", { code: 1 });
  expect(await readSshConfigs(join(dirname(folder), "Vagrantfile"), ["a"], signal)).toEqual(new Map());
});

describe("the preflight check", () => {
  test("accepts Vagrant with the provider's plugin, and checks once", async () => {
    vagrant.on("--version", { stdout: "Vagrant 2.3.4" }).on("plugin list", { stdout: "vagrant-libvirt (0.12.2)" });
    const problems = new VagrantProblems();
    expect(await problems.find("libvirt")).toBeUndefined();
    expect(await problems.find("libvirt")).toBeUndefined();
    expect(vagrant.calls).toHaveLength(2);
  });

  test("reports a missing plugin, with the command that installs it", async () => {
    vagrant.on("--version", { stdout: "Vagrant 2.3.4" }).on("plugin list", {});
    expect(await new VagrantProblems().find("libvirt")).toMatch(/run `vagrant plugin install vagrant-libvirt`/);
  });
});

test.each([
  ["in the subnet", ["192.168.1.5", "10.0.0.5"], "127.0.0.1", "10.0.0.0/24", "10.0.0.5"],
  ["first, without a subnet", ["192.168.1.5", "10.0.0.5"], "127.0.0.1", undefined, "192.168.1.5"],
  ["of SSH, if it is not local", [], "10.0.0.7", undefined, "10.0.0.7"],
  ["missing, if there is only Vagrant's NAT", [], "127.0.0.1", undefined, undefined],
])("the private address is the one %s", (_, addresses, sshAddress, subnet, expected) => {
  expect(choosePrivateAddress(addresses, sshAddress, subnet)).toBe(expected);
});
