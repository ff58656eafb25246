import { describe, expect, test } from "vitest";
import { type VagrantMachine, VAGRANT_PROVIDERS, vagrantName, vagrantfile } from "../../../render/vagrantfile";
import { golden } from "./samples";

function machine(changes: Partial<VagrantMachine>): VagrantMachine {
  return {
    name: "worker-1",
    provider: "virtualbox",
    box: "fedora/41-cloud-base",
    address: "192.168.56.19",
    subnet: "192.168.56.0/24",
    syncedFolder: false,
    ...changes,
  };
}

describe("Vagrantfile", () => {
  test("three Fedora boxes", async () => {
    const machines = [
      ["worker-2", 20],
      ["control-plane-1", 10],
      ["worker-1", 19],
    ].map(([name, last]) =>
      machine({
        name: String(name),
        address: `192.168.56.${last ?? 0}`,
        boxVersion: "41.20241027.0",
        cpus: 2,
        memoryMiB: 2048,
      }),
    );
    await expect(vagrantfile(machines)).toMatchFileSnapshot(golden("vagrant/fedora-3.rb"));
  });

  test("one machine of each provider, with every property", async () => {
    const machines = VAGRANT_PROVIDERS.map((provider, index) =>
      machine({
        name: provider,
        provider,
        address: `192.168.56.${index + 10}`,
        cpus: 4,
        memoryMiB: 4096,
        ...(provider === "docker"
          ? {
              box: undefined,
              image: "kubewright/box:0123",
              dockerArguments: ["--cap-add", "ALL", "--device-cgroup-rule", "a *:* rwm"],
            }
          : { diskGiB: 40 }),
      }),
    );
    await expect(vagrantfile(machines)).toMatchFileSnapshot(golden("vagrant/providers.rb"));
  });

  test("does not depend on the order of the machines", () => {
    const [one, other] = [machine({}), machine({ name: "worker-2" })];
    expect(vagrantfile([one, other])).toBe(vagrantfile([other, one]));
  });

  test("quotes every name as a Ruby string", () => {
    expect(vagrantfile([machine({ box: "a'; system('x') #{1} \\" })])).toContain(
      "machine.vm.box = 'a\\'; system(\\'x\\') #{1} \\\\'",
    );
  });

  test("uses Vagrant's name of the provider", () => {
    expect(VAGRANT_PROVIDERS.map(vagrantName)).toEqual([
      "virtualbox",
      "libvirt",
      "vmware_desktop",
      "parallels",
      "docker",
      "lxc",
    ]);
  });
});
