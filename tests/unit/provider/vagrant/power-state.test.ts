import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { VagrantFolders } from "../../../../provider/vagrant/machines";
import { readVagrantPower } from "../../../../provider/vagrant/power-state";
import { connectionTo } from "../../../support/connection";
import { FakeDocker } from "../docker/fake-docker";

const signal = new AbortController().signal;
let vagrant: FakeDocker;
let folder: string;
let privateKeyPath: string;

beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  folder = mkdtempSync(join(tmpdir(), "vagrant-power-"));
  privateKeyPath = join(folder, ".vagrant", "machines", "worker-1", "libvirt", "private_key");
  mkdirSync(dirname(privateKeyPath), { recursive: true });
  writeFileSync(privateKeyPath, "a key");
});
afterEach(() => {
  vagrant.remove();
  rmSync(folder, { recursive: true, force: true });
});

const read = (path: string | undefined = privateKeyPath) =>
  readVagrantPower(new VagrantFolders(), { privateKeyPath: path }, signal);
const hasState = (state: string, name = "worker-1") =>
  vagrant.on("status --machine-readable", { stdout: `1,${name},state,${state}\n` });

describe("Vagrant proves that its machine", () => {
  test.each(["poweroff", "aborted", "shutoff", "stopped", "not_running", "off"])("is off: %s", async (state) => {
    hasState(state);
    expect(await read()).toBe("off");
  });

  test("was removed", async () => {
    hasState("not_created");
    expect(await read()).toBe("removed");
  });

  test.each(["running", "saved", "paused", "suspended", "preparing", "host_state_unknown"])(
    "is not off: %s, so it may still write, or go on later",
    async (state) => {
      hasState(state);
      expect(await read()).toBe("on");
    },
  );
});

describe("Vagrant proves nothing", () => {
  test("about a machine that its Vagrantfile no longer defines", async () => {
    hasState("not_created", "worker-2");
    expect(await read()).toBe("unknown");
  });

  test("when it fails", async () => {
    vagrant.on("status", { code: 1, stderr: "libvirt does not answer" });
    expect(await read()).toBe("unknown");
  });

  test("when its data of the machine was deleted: it would report a running machine as not created", async () => {
    hasState("not_created");
    rmSync(join(folder, ".vagrant"), { recursive: true });
    expect(await read()).toBe("unknown");
    expect(vagrant.calls).toEqual([]);
  });

  test.each([undefined, "/home/me/.ssh/id_ed25519", "/home/me/keys/private_key"])(
    "about a machine with another key, and is not run: %s",
    async (path) => {
      expect(await readVagrantPower(new VagrantFolders(), { privateKeyPath: path }, signal)).toBe("unknown");
      expect(vagrant.calls).toEqual([]);
    },
  );
});

describe("a context", () => {
  const connection = () => connectionTo({ host: "127.0.0.1", port: 2222, privateKeyPath });
  const hasNoDocker = () => new FakeDocker().on("", { code: 1 });

  test.each([
    ["poweroff", { off: true, removed: false }],
    ["not_created", { off: true, removed: true }],
    ["running", { off: false, removed: false }],
  ])("answers by Vagrant for a machine in the state %s", async (state, expected) => {
    const docker = hasNoDocker();
    hasState(state);
    const { isMachineOff, isMachineRemoved } = createProviderContext();
    const machine = { connection: connection(), instance: "id-1" };
    const [off, removed] = [await isMachineOff(machine, signal), await isMachineRemoved(machine, signal)];
    docker.remove();
    expect({ off, removed }).toEqual(expected);
  });
});
