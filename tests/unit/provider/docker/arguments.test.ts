import { describe, expect, it } from "vitest";
import { commandLine } from "../../../../common/quote";
import {
  containerName,
  createArguments,
  limits,
  madeHash,
  type MachineSpec,
} from "../../../../provider/docker/arguments";
import type { Traits } from "../../../../provider/docker/probe";

const spec: MachineSpec = {
  stack: "dev",
  hostname: "worker-1",
  image: "kubewright/machine:0123",
  network: "kubewright-dev",
  address: "172.26.1.11",
  authorizedKey: "ssh-ed25519 AAAA me",
};
const able: Traits = { sysResource: true, hostModules: true, derivesMac: false, resolvConf: "" };
const confined: Traits = { sysResource: false, hostModules: false, derivesMac: true, resolvConf: "" };
const rendered = (machine: MachineSpec, traits: Traits, publish: boolean) =>
  commandLine(createArguments(machine, { traits, publish })).replaceAll(" --", "\n--");

describe("createArguments", () => {
  it("asks for what an ordinary daemon grants", () => {
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

  it("does without what a confined daemon lacks", () => {
    const words = createArguments(spec, { traits: confined, publish: false });
    expect(words).toContain("--cap-drop");
    expect(words).not.toContain("--mac-address");
    expect(words).not.toContain("--publish");
    expect(words.join(" ")).not.toContain("/lib/modules");
  });

  it("never asks for --privileged", () => {
    expect(createArguments(spec, { traits: able, publish: true })).not.toContain("--privileged");
  });
});

describe("madeHash", () => {
  const hash = (machine: MachineSpec, publish = false) => madeHash(machine, { traits: able, publish });

  it("changes with what cannot be changed in place, and only with that", () => {
    expect(hash({ ...spec, cpus: 2, memory: 512, authorizedKey: "other" })).toBe(hash(spec));
    expect(hash({ ...spec, image: "other" })).not.toBe(hash(spec));
    expect(hash({ ...spec, address: "172.26.1.12" })).not.toBe(hash(spec));
    expect(hash(spec, true)).not.toBe(hash(spec));
  });
});

describe("names and limits", () => {
  it("makes a name that Docker takes", () => {
    expect(containerName({ stack: "org/project/dev env", hostname: "a" })).toBe("kubewright-org-project-dev-env-a");
  });

  it("grants no swap beyond the memory", () => {
    expect(limits({})).toEqual([]);
    expect(limits({ memory: 512 })).toEqual(["--memory", "512m", "--memory-swap", "512m"]);
  });
});
