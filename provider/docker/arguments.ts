import { createHash } from "node:crypto";
import { LABELS, slug } from "./labels";
import type { HostTraits } from "./probe";
import { macOf } from "./subnets";

/**
 * Data folders of containerd, the kubelet, etcd and Docker. They are volumes because overlayfs on overlayfs is refused.
 */
const VOLUMES = ["/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/docker"];
const PUBLISHED_PORTS = [22, 6443];
/** Seconds between the shutdown signal and SIGKILL. systemd gives its services 10. */
export const STOP_SECONDS = 15;

export interface MachineSpec {
  stack: string;
  hostname: string;
  /** Reference or id. */
  image: string;
  /** Name or id of the network. */
  network: string;
  /** IPv4 address in the network's subnet. */
  address: string;
  /** One or more lines of authorized_keys(5). */
  authorizedKey: string;
  /** @default no limit */
  cpus?: number | undefined;
  /** MiB. @default no limit */
  memory?: number | undefined;
}

/** Properties of the Docker host that the machine's container depends on. */
export interface ContainerEnvironment {
  traits: HostTraits;
  /** Publish the machine's ports on 127.0.0.1, because the controller cannot reach the machine's own address. */
  publish: boolean;
}

export function containerName({ stack, hostname }: Pick<MachineSpec, "stack" | "hostname">): string {
  return `kubewright-${slug(stack)}-${hostname}`;
}

/** Returns the `docker` arguments that create the machine's container. */
export function createArguments(spec: MachineSpec, environment: ContainerEnvironment): string[] {
  return [
    ...["create", "--name", containerName(spec), "--hostname", spec.hostname],
    ...labelArguments(LABELS.stack, spec.stack),
    ...labelArguments(LABELS.machine, spec.hostname),
    ...labelArguments(LABELS.specHash, specHash(spec, environment)),
    ...limitArguments(spec),
    ...immutableArguments(spec, environment),
    spec.image,
  ];
}

/** Returns a hash of all settings that can be changed only by replacing the container. */
export function specHash(spec: MachineSpec, environment: ContainerEnvironment): string {
  const settings = [spec.image, ...immutableArguments(spec, environment)];
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
}

/**
 * Returns the CPU and memory limits for `docker create` and `docker update`. Swap in addition to the memory is not
 * allowed.
 */
export function limitArguments({ cpus, memory }: Pick<MachineSpec, "cpus" | "memory">): string[] {
  const size = `${String(memory)}m`;
  return [
    ...(cpus === undefined ? [] : ["--cpus", String(cpus)]),
    ...(memory === undefined ? [] : ["--memory", size, "--memory-swap", size]),
  ];
}

function immutableArguments(spec: MachineSpec, { traits, publish }: ContainerEnvironment): string[] {
  return [
    ...["--network", spec.network, "--ip", spec.address],
    ...(traits.derivesMac ? [] : ["--mac-address", macOf(spec.address)]),
    ...machineArguments(spec.stack, traits),
    ...(publish ? PUBLISHED_PORTS.flatMap((port) => ["--publish", `127.0.0.1::${port}`]) : []),
  ];
}

/**
 * Returns the arguments that make a container behave like a machine, without those of its network. Vagrant uses them
 * too.
 */
export function machineArguments(stack: string, traits: HostTraits): string[] {
  return [
    ...privilegeArguments(traits),
    ...mountArguments(stack, traits),
    // `reboot` in the machine stops its container. Docker then restarts it, as after a reboot of the Docker host.
    ...["--restart", "unless-stopped", "--stop-signal", "SIGRTMIN+3", "--stop-timeout", String(STOP_SECONDS)],
    // systemd prints its boot progress only to a terminal. With one, `docker logs` shows it.
    "--tty",
  ];
}

/**
 * The privileges that a node needs: those of `--privileged`, without the host's devices. Also works where
 * `--privileged` fails.
 */
function privilegeArguments({ sysResource }: HostTraits): string[] {
  return [
    ...["--cap-add", "ALL", ...(sysResource ? [] : ["--cap-drop", "SYS_RESOURCE"])],
    ...["--cgroupns", "private", "--device-cgroup-rule", "a *:* rwm"],
    ...["seccomp=unconfined", "apparmor=unconfined", "label=disable", "systempaths=unconfined"].flatMap((option) => [
      "--security-opt",
      option,
    ]),
  ];
}

/** Anonymous volumes are removed together with their container. Their label finds them after an interrupted removal. */
function mountArguments(stack: string, { hostModules }: HostTraits): string[] {
  const volumes = VOLUMES.map((path) => `type=volume,dst=${path},"volume-label=${LABELS.stack}=${stack}"`);
  const modules = hostModules ? ["type=bind,src=/lib/modules,dst=/run/kubewright-host-modules,readonly"] : [];
  return ["--tmpfs", "/run:exec", ...[...volumes, ...modules].flatMap((mount) => ["--mount", mount])];
}

function labelArguments(key: string, value: string): string[] {
  return ["--label", `${key}=${value}`];
}
