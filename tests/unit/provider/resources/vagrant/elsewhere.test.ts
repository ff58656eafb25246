import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { machineResource } from "../../../../../provider/resources/vagrant/machine";
import { VagrantFolder } from "../../../../../provider/vagrant/folder";
import { thisComputer } from "../../../../../provider/vagrant/whereabouts";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";

vi.mock("../../../../../provider/docker/ssh-banner", () => ({ hasSshBanner: () => Promise.resolve(false) }));

const FOLDER = ".kubewright/dev/vagrant";
const KEY = `${FOLDER}/.vagrant/machines/worker-1/libvirt/private_key`;
let vagrant: FakeDocker;
let project: string;
let warnings: string[];
beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  vagrant.on("--version", { stdout: "Vagrant 2.3.4" }).on("plugin list", { stdout: "vagrant-libvirt (0.12.2)" });
  project = mkdtempSync(join(tmpdir(), "kubewright-vagrant-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
  vi.stubEnv("XDG_CACHE_HOME", join(project, "cache"));
  warnings = [];
});
afterEach(() => {
  vagrant.remove();
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

const inputs = {
  ...{ folder: FOLDER, hostname: "worker-1", provider: "libvirt" as const, box: "fedora/41" },
  ...{ subnet: "192.168.56.0/24", index: 0, running: true },
};
const outputs = (computer?: string) => ({
  ...{ machineId: "uuid-1", address: "127.0.0.1", port: 2222, user: "vagrant", privateKeyPath: KEY },
  ...{ hostKey: "ssh-ed25519 AAAA", privateAddress: "192.168.56.10", ...(computer && { computer }) },
});
const recorded = (computer?: string) => ({ inputs, outputs: outputs(computer) });
const context = (abandoned: string[] = []) =>
  testContext({ warn: (message) => void warnings.push(message) }, { abandoned });
const commands = (name: string) => vagrant.calls.filter((call) => call.startsWith(name));

/** Vagrant's data of the machine in this clone of the project. */
function hasData(state: string): void {
  vagrant.on("status", { stdout: `1,worker-1,state,${state}\n` });
  const definition = { name: "worker-1", provider: "libvirt", address: "192.168.56.10" } as const;
  new VagrantFolder(join(project, FOLDER)).define([{ ...definition, subnet: inputs.subnet, syncedFolder: false }]);
  mkdirSync(join(project, FOLDER, ".vagrant/machines/worker-1/libvirt"), { recursive: true });
}

test("the state of a new machine has no folder of this computer, and names the computer", async () => {
  const key = join(project, KEY);
  const ssh = `Host worker-1\n  HostName 127.0.0.1\n  Port 2222\n  User vagrant\n  IdentityFile ${key}\n`;
  vagrant.on("up", {}).on("ssh-config", { stdout: ssh }).on("ssh ", { stdout: "ssh-ed25519 AAAA root@box\n" });
  const created = await machineResource.create(context(), inputs);
  expect(created.outputs).toMatchObject({ privateKeyPath: KEY, computer: thisComputer() });
  expect(JSON.stringify(created)).not.toContain(project);
  expect(existsSync(join(project, FOLDER, "Vagrantfile"))).toBe(true);
});

describe.each([
  ["another computer", "laptop-of-ana", /Vagrant has it on the computer laptop-of-ana, and no data of it in .* on /],
  ["another computer, by an earlier version", undefined, /Vagrant has it on the computer that created it, and no data/],
  [
    "another clone of the project on this computer",
    thisComputer(),
    /Vagrant has no data of it in .*: another clone .* or/,
  ],
])("a machine that was created on %s", (_, computer, place) => {
  const at = (text: string) => new RegExp(`^${text}${place.source}`);

  test("is neither gone nor changed for a refresh, which names the computer", async () => {
    const own = context();
    expect(await machineResource.read!(own, "worker-1", recorded(computer))).toEqual(recorded(computer));
    expect(warnings).toEqual([expect.stringMatching(at("keeping the last known state: "))]);
    const { address: host, port, hostKey } = outputs();
    expect(own.unreachable.isMarkedGone({ host, port, hostKey })).toBe(false);
  });

  test("is not explained by the Vagrant that this computer does not have", async () => {
    vagrant.remove();
    vagrant = new FakeDocker("vagrant").on("--version", { code: 1 });
    expect(await machineResource.read!(context(), "worker-1", recorded(computer))).toEqual(recorded(computer));
    expect(warnings).toEqual([expect.stringMatching(at("keeping the last known state: "))]);
  });

  test("is not started a second time", async () => {
    const update = machineResource.update!(context(), "worker-1", inputs, recorded(computer));
    await expect(update).rejects.toThrow(at("vagrant up failed on worker-1: "));
    await expect(update).rejects.not.toThrow(/recovery\.abandoned/); // it has no effect on an update
    expect(commands("up")).toEqual([]);
  });

  test("is not forgotten by a destroy, unless the configuration names it as abandoned", async () => {
    const destroy = (abandoned: string[]) =>
      machineResource.delete!(context(abandoned), "worker-1", recorded(computer));
    const where = computer === thisComputer() ? "in the clone of the project" : `on ${computer ?? "the computer that"}`;
    await expect(destroy([])).rejects.toThrow(
      new RegExp(`${place.source}.*; run this command ${where}.*; if the machine was destroyed .*recovery.abandoned`),
    );
    await destroy(["worker-1"]);
    expect(warnings).toEqual([expect.stringMatching(at("it was not destroyed: "))]);
    expect(commands("destroy")).toEqual([]);
  });
});

test("Vagrant's data in a folder that two computers share proves nothing on the other one", async () => {
  hasData("not_created");
  expect(await machineResource.read!(context(), "worker-1", recorded("laptop-of-ana"))).toEqual(
    recorded("laptop-of-ana"),
  );
});

test("a computer with a new name still has its machines, and the refresh records the name", async () => {
  hasData("running");
  vagrant.on("destroy", {});
  const current = await machineResource.read!(context(), "worker-1", recorded("old-name"));
  expect(current?.outputs.computer).toBe(thisComputer());
  expect(warnings).toEqual([]);
  await machineResource.delete!(context(), "worker-1", recorded("old-name"));
  expect(commands("destroy")).toEqual(["destroy --no-color --force worker-1"]);
});

test("a state with the folder of an earlier place of the project is updated to the present folder", async () => {
  hasData("running");
  const ssh = "Host worker-1\n  HostName 127.0.0.1\n  Port 2222\n  User vagrant\n  IdentityFile /key\n";
  vagrant.on("up", {}).on("ssh-config", { stdout: ssh }).on("ssh ", { stdout: "ssh-ed25519 AAAA root@box\n" });
  const old = { inputs: { ...inputs, folder: "/home/ana/old-place/.kubewright/dev/vagrant" }, outputs: outputs() };
  expect(await machineResource.update!(context(), "worker-1", inputs, old)).toMatchObject({ computer: thisComputer() });
});
