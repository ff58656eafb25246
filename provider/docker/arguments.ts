import { createHash } from "node:crypto";
import { LABELS, slug } from "./labels";
import type { Traits } from "./probe";
import { macOf } from "./subnets";

/** What containerd, kubelet, etcd and Docker keep: on real file systems, as an overlay on an overlay is refused. */
const VOLUMES = ["/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/docker"];
const PUBLISHED_PORTS = [22, 6443];
/** Seconds between the request to shut down and the kill; systemd gives its services 10. */
export const STOP_SECONDS = 15;

export interface MachineSpec {
  stack: string;
  hostname: string;
  /** Reference or id. */
  image: string;
  /** Name or id of the network. */
  network: string;
  /** IPv4, in the network's subnet. */
  address: string;
  /** A line of authorized_keys(5), or several. */
  authorizedKey: string;
  /** Default: all of the host's. */
  cpus?: number | undefined;
  /** MiB. Default: all of the host's. */
  memory?: number | undefined;
}

export interface Surroundings {
  traits: Traits;
  /** Reach the machine through ports of 127.0.0.1, where its own address does not answer to the controller. */
  publish: boolean;
}

export function containerName({ stack, hostname }: Pick<MachineSpec, "stack" | "hostname">): string {
  return `kubewright-${slug(stack)}-${hostname}`;
}

/** Pure: the arguments of `docker` that create the machine's container. */
export function createArguments(spec: MachineSpec, surroundings: Surroundings): string[] {
  return [
    ...["create", "--name", containerName(spec), "--hostname", spec.hostname],
    ...label(LABELS.stack, spec.stack),
    ...label(LABELS.machine, spec.hostname),
    ...label(LABELS.made, madeHash(spec, surroundings)),
    ...limits(spec),
    ...lasting(spec, surroundings),
    spec.image,
  ];
}

/** Pure: tells apart machines that differ in what can only be changed by making them anew. */
export function madeHash(spec: MachineSpec, surroundings: Surroundings): string {
  const words = [spec.image, ...lasting(spec, surroundings)];
  return createHash("sha256").update(JSON.stringify(words)).digest("hex").slice(0, 12);
}

/** Pure: cpus and memory, for `docker create` and `docker update` alike. Swap beyond the memory is not granted. */
export function limits({ cpus, memory }: Pick<MachineSpec, "cpus" | "memory">): string[] {
  const size = `${String(memory)}m`;
  return [
    ...(cpus === undefined ? [] : ["--cpus", String(cpus)]),
    ...(memory === undefined ? [] : ["--memory", size, "--memory-swap", size]),
  ];
}

function lasting(spec: MachineSpec, { traits, publish }: Surroundings): string[] {
  return [
    ...["--network", spec.network, "--ip", spec.address],
    ...(traits.derivesMac ? [] : ["--mac-address", macOf(spec.address)]),
    ...machineArguments(spec.stack, traits),
    ...(publish ? PUBLISHED_PORTS.flatMap((port) => ["--publish", `127.0.0.1::${port}`]) : []),
  ];
}

/** Pure: what makes a machine of a container, whoever runs it and wherever its network is. */
export function machineArguments(stack: string, traits: Traits): string[] {
  return [
    ...powers(traits),
    ...mounts(stack, traits),
    // A `reboot` in the machine ends its container: Docker starts it again, as it does after a restart of its host.
    ...["--restart", "unless-stopped", "--stop-signal", "SIGRTMIN+3", "--stop-timeout", String(STOP_SECONDS)],
    // systemd tells its progress only to a terminal: so `docker logs` has it.
    "--tty",
  ];
}

/** All that `--privileged` would give and a node needs, but for the host's devices; and it works where `--privileged` does not. */
function powers({ sysResource }: Traits): string[] {
  return [
    ...["--cap-add", "ALL", ...(sysResource ? [] : ["--cap-drop", "SYS_RESOURCE"])],
    ...["--cgroupns", "private", "--device-cgroup-rule", "a *:* rwm"],
    ...["seccomp=unconfined", "apparmor=unconfined", "label=disable", "systempaths=unconfined"].flatMap((option) => [
      "--security-opt",
      option,
    ]),
  ];
}

/** Volumes without a name go with their container; labelled, they are found even if that was cut off. */
function mounts(stack: string, { hostModules }: Traits): string[] {
  const volumes = VOLUMES.map((path) => `type=volume,dst=${path},"volume-label=${LABELS.stack}=${stack}"`);
  const modules = hostModules ? ["type=bind,src=/lib/modules,dst=/run/kubewright-host-modules,readonly"] : [];
  return ["--tmpfs", "/run:exec", ...[...volumes, ...modules].flatMap((mount) => ["--mount", mount])];
}

function label(key: string, value: string): string[] {
  return ["--label", `${key}=${value}`];
}
