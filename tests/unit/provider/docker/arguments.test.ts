import { describe, expect, it } from "vitest";
import { commandLine } from "../../../../common/quote";
import {
  containerName,
  createArguments,
  limitArguments,
  specHash,
  type MachineSpec,
} from "../../../../provider/docker/arguments";
import type { HostTraits } from "../../../../provider/docker/probe";

const spec: MachineSpec = {
  stack: "dev",
  hostname: "worker-1",
  image: "kubewright/machine:0123",
  network: "kubewright-dev",
  address: "172.26.1.11",
  authorizedKey: "ssh-ed25519 AAAA me",
};
const able: HostTraits = { sysResource: true, hostModules: true, derivesMac: false, resolvConf: "" };
const confined: HostTraits = { sysResource: false, hostModules: false, derivesMac: true, resolvConf: "" };
const rendered = (machine: MachineSpec, traits: HostTraits, publish: boolean) =>
  commandLine(createArguments(machine, { traits, publish })).replaceAll(" --", "\n--");

describe("createArguments", () => {
  it("requests everything that an ordinary daemon allows", () => {
    expect(rendered({ ...spec, cpus: 1.5, memory: 2048 }, able, true)).toMatchInlineSnapshot(`
      "create
      --name kubewright-dev-worker-1
      --hostname worker-1
      --label io.kubewright.stack=dev
      --label io.kubewright.machine=worker-1
      --label io.kubewright.made=ea1529248413
      --cpus 1.5
      --memory 2048m
      --memory-swap 2048m
      --network kubewright-dev
      --ip 172.26.1.11
      --mac-address 02:42:ac:1a:01:0b
      --cap-add ALL
      --cgroupns private
      --device-cgroup-rule 'a *:* rwm'
      --security-opt seccomp=unconfined
      --security-opt apparmor=unconfined
      --security-opt label=disable
      --security-opt systempaths=unconfined
      --tmpfs /run:exec
      --mount 'type=volume,dst=/var/lib/containerd,"volume-label=io.kubewright.stack=dev"'
      --mount 'type=volume,dst=/var/lib/kubelet,"volume-label=io.kubewright.stack=dev"'
      --mount 'type=volume,dst=/var/lib/etcd,"volume-label=io.kubewright.stack=dev"'
      --mount 'type=volume,dst=/var/lib/docker,"volume-label=io.kubewright.stack=dev"'
      --mount type=bind,src=/lib/modules,dst=/run/kubewright-host-modules,readonly
      --restart unless-stopped
      --stop-signal SIGRTMIN+3
      --stop-timeout 15
      --tty
      --publish 127.0.0.1::22
      --publish 127.0.0.1::6443 kubewright/machine:0123"
    `);
  });

  it("omits what a confined daemon does not allow", () => {
    const words = createArguments(spec, { traits: confined, publish: false });
    expect(words).toContain("--cap-drop");
    expect(words).not.toContain("--mac-address");
    expect(words).not.toContain("--publish");
    expect(words.join(" ")).not.toContain("/lib/modules");
  });

  it("never uses --privileged", () => {
    expect(createArguments(spec, { traits: able, publish: true })).not.toContain("--privileged");
  });
});

describe("specHash", () => {
  const hash = (machine: MachineSpec, publish = false) => specHash(machine, { traits: able, publish });

  it("changes only with settings that cannot be changed in place", () => {
    expect(hash({ ...spec, cpus: 2, memory: 512, authorizedKey: "other" })).toBe(hash(spec));
    expect(hash({ ...spec, image: "other" })).not.toBe(hash(spec));
    expect(hash({ ...spec, address: "172.26.1.12" })).not.toBe(hash(spec));
    expect(hash(spec, true)).not.toBe(hash(spec));
  });
});

describe("names and limits", () => {
  it("makes a valid container name", () => {
    expect(containerName({ stack: "org/project/dev env", hostname: "a" })).toBe("kubewright-org-project-dev-env-a");
  });

  it("allows no swap in addition to the memory", () => {
    expect(limitArguments({})).toEqual([]);
    expect(limitArguments({ memory: 512 })).toEqual(["--memory", "512m", "--memory-swap", "512m"]);
  });
});
