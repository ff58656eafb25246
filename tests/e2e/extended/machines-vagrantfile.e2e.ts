import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silent } from "../../../common/progress";
import { machineArguments } from "../../../provider/docker/arguments";
import { ensureImage } from "../../../provider/docker/image";
import { DockerTraits } from "../../../provider/docker/probe";
import { removeStack } from "../../../provider/docker/remove-stack";
import { parseStatus } from "../../../provider/vagrant/parse-output";
import { ensureDockerBox } from "../../../provider/vagrant/docker-box";
import type { Requirement } from "../../support/requirement";
import { TestStack } from "../../support/test-stack";
import { vagrantAvailable, vagrantIn } from "../../support/vagrant";

const SUBNET = "172.31.97.0/24";
const LABEL = "own-vagrantfile";
const FILES = "sudo find /etc /opt /usr/local /var/lib/kubelet /var/lib/etcd -type f | sort";
const config = (name: string) =>
  [
    "machines.kind=vagrant",
    `machines.vagrant.vagrantfile=${join(folder, "Vagrantfile")}`,
    `machines.vagrant.names.control-plane-1=${name}`,
    `machines.vagrant.subnet=${SUBNET}`,
    "workers.count=0",
  ].flatMap((one) => ["--config", one]);

const stack = new TestStack("e2e-vagrantfile");
let folder = "";
let vagrant: Requirement;

/** Renders a user's Vagrantfile, with the settings that let a container run systemd. */
async function renderVagrantfile(): Promise<string> {
  const signal = AbortSignal.timeout(600_000);
  const docker = new DockerTraits();
  const { ref } = await ensureImage("auto", silent, signal);
  const image = await ensureDockerBox(ref, docker, silent, signal);
  const createArguments = machineArguments(LABEL, await docker.read(image, signal));
  return `Vagrant.configure("2") do |config|
  config.vm.synced_folder ".", "/vagrant", disabled: true
  { "box" => "172.31.97.40", "idle" => "172.31.97.41" }.each do |name, address|
    config.vm.define name do |machine|
      machine.vm.hostname = name
      machine.vm.network "private_network", ip: address, netmask: 24
      machine.vm.provider "docker" do |docker|
        docker.image = "${image}"
        docker.pull = false
        docker.has_ssh = true
        docker.create_args = ${JSON.stringify(createArguments)}
      end
    end
  end
end
`;
}

/** Returns the states of all machines of the file, as `vagrant status` reports them. */
async function machineStates(): Promise<Record<string, string>> {
  return Object.fromEntries(parseStatus(await vagrantIn(folder, "status", "--machine-readable")));
}

const inBox = (script: string) => vagrantIn(folder, "ssh", "--no-tty", "box", "-c", script);

describe("a user's Vagrantfile", () => {
  let before = "";

  beforeAll(async () => {
    vagrant = await vagrantAvailable();
    if (process.env.CI === "true") expect(vagrant.reason).toBe("");
    if (!vagrant.met) return;
    await stack.down("--force"); // left by a killed test run
    await removeStack(LABEL, AbortSignal.timeout(120_000));
    folder = mkdtempSync(join(tmpdir(), "kubewright-vagrantfile-"));
    writeFileSync(join(folder, "Vagrantfile"), await renderVagrantfile());
  });

  beforeEach(({ skip }) => skip(!vagrant.met, vagrant.reason));

  afterAll(async () => {
    if (!vagrant.met) return;
    await stack.down("--force");
    stack.removeFiles();
    await vagrantIn(folder, "destroy", "--force");
    rmSync(folder, { recursive: true, force: true });
  });

  test("a machine that does not run is an error with the vagrant command to start it", async () => {
    const { code, text } = await stack.up(...config("box"));
    expect(code).not.toBe(0);
    expect(text).toContain("Vagrant runs no machine of this name");
    expect(text).toContain("run `vagrant up box`");
    expect(await machineStates()).toEqual({ box: "not_created", idle: "not_created" });
  });

  test("a running machine becomes a node at its private address", async () => {
    await vagrantIn(folder, "up", "--provider", "docker", "box");
    before = await inBox(FILES);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(/control-plane-1 +Ready .*172\.31\.97\.40/);
    expect(text).not.toContain("first connection: its host key");
    expect((await stack.up()).text).toContain("Nothing to change");
  });

  test("a halted machine is reported and not started", async () => {
    await vagrantIn(folder, "halt", "box");
    const { text } = await stack.pulumi(
      "refresh",
      "--yes",
      "--skip-preview",
      "--target",
      "**ExistingMachine::control-plane-1",
    );
    expect(text).toContain("Vagrant runs no machine of this name");
    expect(text).toContain("keeping the last known state");
    expect(await machineStates()).toEqual({ box: "stopped", idle: "not_created" });
    await vagrantIn(folder, "up", "box");
    const again = await stack.up("--refresh");
    expect(again.code, again.text).toBe(0);
    expect(again.text).toMatch(/control-plane-1 +Ready /);
  });

  test("npm run down keeps the machine running, without leftovers", async () => {
    const { code, text } = await stack.down();
    expect(code, text).toBe(0);
    expect(await machineStates()).toEqual({ box: "running", idle: "not_created" });
    expect(await inBox(FILES)).toBe(before);
  });
});
