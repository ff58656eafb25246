import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hasSshBanner } from "../../../../../provider/docker/ssh-banner";
import { machineResource, readHostKey } from "../../../../../provider/resources/vagrant/machine";
import { PartialFailure } from "../../../../../provider/rpc/handler";
import { VagrantFolder } from "../../../../../provider/vagrant/folder";
import { thisComputer } from "../../../../../provider/vagrant/whereabouts";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";
import { INFO } from "../../docker/inspected";

vi.mock("../../../../../provider/docker/ssh-banner", () => ({ hasSshBanner: vi.fn() }));

const SSH = "Host worker-1\n  HostName 127.0.0.1\n  Port 2222\n  User vagrant\n  IdentityFile /key\n";
const KEYS = "ssh-rsa RRRR root@box\nssh-ed25519 AAAA root@box\n";
const signal = new AbortController().signal;

let vagrant: FakeDocker;
let folder: string;
let warnings: string[];
beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  folder = join(mkdtempSync(join(tmpdir(), "vagrant-test-")), "stack");
  vi.stubEnv("XDG_CACHE_HOME", dirname(folder));
  vi.mocked(hasSshBanner).mockResolvedValue(false);
  warnings = [];
});
afterEach(() => {
  vagrant.remove();
  rmSync(dirname(folder), { recursive: true, force: true });
});

const inputs = () => ({
  folder,
  hostname: "worker-1",
  provider: "libvirt" as const,
  box: "fedora/41",
  subnet: "192.168.56.0/24",
  index: 0,
});
const outputs = {
  machineId: "uuid-1",
  address: "127.0.0.1",
  port: 2222,
  user: "vagrant",
  privateKeyPath: "/key",
  hostKey: "ssh-ed25519 AAAA",
  privateAddress: "192.168.56.10",
  computer: thisComputer(),
};
const recorded = () => ({ inputs: inputs(), outputs });
const context = () => testContext({ warn: (message) => void warnings.push(message) });
const hasVagrant = () =>
  vagrant.on("--version", { stdout: "Vagrant 2.3.4" }).on("plugin list", { stdout: "vagrant-libvirt (0.12.2)" });

/** Writes the id as the provider does when it has created the machine. */
function hasMachineId(id: string): void {
  const file = join(folder, ".vagrant/machines/worker-1/libvirt/id");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${id}\n`);
}
const define = () =>
  new VagrantFolder(folder).define([
    { name: "worker-1", provider: "libvirt", address: "192.168.56.10", subnet: "192.168.56.0/24", syncedFolder: false },
  ]);

describe("a new machine", () => {
  beforeEach(() => void vagrant.on("up", {}).on("ssh-config", { stdout: SSH }).on("ssh ", { stdout: KEYS }));

  test("is reached through the port that Vagrant forwards, with the host key that Vagrant has read", async () => {
    hasMachineId("uuid-1");
    expect(await machineResource.create(context(), inputs())).toEqual({ id: "worker-1", outputs });
    const [defined] = new VagrantFolder(folder).machines();
    expect(defined).toMatchObject({ name: "worker-1", box: "fedora/41", address: outputs.privateAddress });
  });

  test("is reached at its private address where that answers", async () => {
    vi.mocked(hasSshBanner).mockImplementation(async (host) => host === outputs.privateAddress);
    const { outputs: created } = await machineResource.create(context(), inputs());
    expect(created).toMatchObject({ address: outputs.privateAddress, port: 22 });
  });
});

test("a container of the docker provider has limits; its key comes from Docker", async () => {
  vagrant.on("up", {}).on("ssh-config", { stdout: SSH });
  const docker = new FakeDocker()
    .on("info", { stdout: JSON.stringify(INFO) })
    .on("version", { stdout: "1.44" })
    .on("run", { stdout: "nameserver 10.0.0.1" })
    .on("exec", { stdout: "ssh-ed25519 DDDD root@worker-1" });
  const settings = { provider: "docker" as const, box: undefined, image: "kubewright/box:1", cpus: 2 };
  const { outputs: created } = await machineResource.create(context(), { ...inputs(), ...settings });
  docker.remove();
  expect(created.hostKey).toBe("ssh-ed25519 DDDD");
  expect(new VagrantFolder(folder).machines()[0]?.dockerArguments?.slice(0, 2)).toEqual(["--cpus", "2"]);
});

describe("a new machine whose start fails", () => {
  beforeEach(() => void vagrant.on("up", { code: 1, stderr: "no network" }).on("ssh-config", { code: 1 }));

  test("is recorded if it exists, so that `destroy` removes it", async () => {
    hasMachineId("uuid-1");
    const failure = await machineResource.create(context(), inputs()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PartialFailure);
    expect(failure).toMatchObject({ id: "worker-1", outputs: { machineId: "uuid-1", address: "192.168.56.10" } });
    expect((failure as Error).message).toContain("no network");
  });

  test("is not recorded if it does not exist", async () => {
    const failure = await machineResource.create(context(), inputs()).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(PartialFailure);
    expect((failure as Error).message).toContain("no network");
  });
});

test("an update starts the machine at its recorded address, whatever its position", async () => {
  vagrant.on("up", {}).on("ssh-config", { stdout: SSH }).on("ssh ", { stdout: KEYS });
  hasMachineId("uuid-1");
  const started = await machineResource.update!(context(), "worker-1", { ...inputs(), index: 7 }, recorded());
  expect(started).toMatchObject({ privateAddress: "192.168.56.10" });
  expect(new VagrantFolder(folder).machines()[0]?.address).toBe("192.168.56.10");
});

test("a machine without a known host key type is not trusted", async () => {
  vagrant.on("ssh ", { stdout: "ssh-dss DDDD\n" });
  await expect(readHostKey(join(dirname(folder), "Vagrantfile"), "worker-1", signal)).rejects.toThrow(
    "read the host key of worker-1 failed on worker-1: it has no ed25519, ecdsa or rsa host key",
  );
});

test("a provider whose plugin is missing is refused at the preview", async () => {
  vagrant.on("--version", { stdout: "Vagrant 2.3.4" }).on("plugin list", {});
  expect(await machineResource.check!(inputs(), context())).toEqual([
    { path: "provider", reason: expect.stringContaining("vagrant plugin install vagrant-libvirt") as string },
  ]);
});

describe("a refresh", () => {
  const read = (own = context()) => machineResource.read!(own, "worker-1", recorded());
  const hasState = (state: string) => {
    hasVagrant().on("status", { stdout: `1,worker-1,state,${state}\n` });
    define();
  };
  const { address: host, port, hostKey } = outputs;

  test.each([
    ["running", true],
    ["poweroff", false],
  ])("reads a machine in the state %s", async (state, running) => {
    hasState(state);
    hasMachineId("uuid-1");
    expect(await read()).toEqual({ inputs: { ...inputs(), running }, outputs });
  });

  test.each(["undefined in the folder", "not created"])("finds a machine gone that is %s", async (kind) => {
    hasMachineId("");
    if (kind === "not created") hasState("not_created");
    else hasVagrant();
    const own = context();
    expect(await read(own)).toBeUndefined();
    expect(own.unreachable.isMarkedGone({ host, port, hostKey })).toBe(true);
  });

  test("reads a machine that Vagrant recreated as stopped, so that the next update reads its connection", async () => {
    hasState("running");
    hasMachineId("uuid-2");
    const own = context();
    expect(await read(own)).toEqual({
      inputs: { ...inputs(), running: false },
      outputs: { ...outputs, machineId: "uuid-2" },
    });
    expect(own.unreachable.isMarkedGone({ host, port, hostKey })).toBe(true);
  });

  test("keeps the recorded state where Vagrant does not work, and says why", async () => {
    vagrant.on("--version", { code: 1 });
    hasMachineId("uuid-1");
    expect(await read()).toEqual(recorded());
    expect(warnings).toEqual([expect.stringMatching(/^keeping the last known state: Vagrant is not installed/)]);
  });
});

test("a delete destroys the machine and removes its definition", async () => {
  vagrant.on("destroy", {});
  define();
  hasMachineId("uuid-1");
  await machineResource.delete!(context(), "worker-1", recorded());
  expect(vagrant.calls).toEqual(["destroy --no-color --force worker-1"]);
  expect(new VagrantFolder(folder).has("worker-1")).toBe(false);
});

describe("an adoption", () => {
  const adopt = (changes: object = {}) => machineResource.adopt!(context(), { ...inputs(), ...changes });
  const defineBox = () =>
    new VagrantFolder(folder).define([
      {
        ...{ name: "worker-1", provider: "libvirt", box: "fedora/41", syncedFolder: false },
        ...{ address: "192.168.56.10", subnet: inputs().subnet },
      },
    ]);

  test("records the running machine, and starts nothing", async () => {
    defineBox();
    hasMachineId("uuid-1");
    vagrant.on("ssh-config", { stdout: SSH }).on("ssh ", { stdout: KEYS });
    expect(await adopt()).toEqual({ id: "worker-1", outputs });
    expect(vagrant.calls.filter((call) => call.startsWith("up"))).toEqual([]);
  });

  test("is refused where the machine does not run", async () => {
    defineBox();
    vagrant.on("ssh-config", { code: 1 });
    await expect(adopt()).rejects.toThrow(/Vagrant does not run it; run `vagrant up worker-1` in /);
  });

  test("is refused where the folder of the stack is lost", async () => {
    await expect(adopt()).rejects.toThrow(/has no machine of this name; copy the folder/);
  });

  test("is refused where the configuration would replace the machine", async () => {
    defineBox();
    await expect(adopt({ cpus: 4 })).rejects.toThrow(/cpus differ from its definition.*set them in the configuration/);
  });
});
