import { binariesContract } from "../contracts/host/binaries";
import { etcHostsContract } from "../contracts/host/etc-hosts";
import { filesContract } from "../contracts/host/files";
import { firewallContract } from "../contracts/host/firewall";
import { hostContract } from "../contracts/host/host";
import { imagesContract } from "../contracts/host/images";
import { kernelContract } from "../contracts/host/kernel";
import { leftoversContract } from "../contracts/host/leftovers";
import { packagesContract } from "../contracts/host/packages";
import { staticPodContract } from "../contracts/host/static-pod";
import { unitContract } from "../contracts/host/unit";
import type { TextFile } from "../contracts/files";
import { type Args, type DeepInputParts, resourceClass } from "./resource";

export type { Health as HealthArgs } from "../contracts/health";

export type HostArgs = Args<typeof hostContract>;

/**
 * A machine as it was found: its facts, its identity and its pinned host key. Changes nothing on the machine.
 * @example
 * const host = new Host("worker-1", { connection: { host: "10.0.0.12", privateKeyPath: "~/.ssh/id_ed25519" } });
 */
export class Host extends resourceClass(hostContract) {}

export type PackagesArgs = Args<typeof packagesContract>;

/** Packages of the machine's distribution. They stay installed when the resource is deleted. */
export class Packages extends resourceClass(packagesContract) {}

export type KernelArgs = Args<typeof kernelContract>;

/** Kernel modules and sysctls, now and after each boot (modules-load.d(5), sysctl.d(5)). */
export class Kernel extends resourceClass(kernelContract) {}

export type BinariesArgs = Args<typeof binariesContract>;

/** Executables on a machine, owned by root, mode 0755, copied from the computer that runs Pulumi. */
export class Binaries extends resourceClass(binariesContract) {}

export type FileArgs = DeepInputParts<TextFile>;

export type FilesArgs = Args<typeof filesContract>;

/**
 * Text files on a machine, owned by root.
 * @example
 * new Files("motd", {
 *   connection,
 *   instance: host.instance,
 *   files: { "/etc/motd": { content: "A Kubernetes node.\n", mode: "0644" } },
 * });
 */
export class Files extends resourceClass(filesContract) {}

export type UnitArgs = Args<typeof unitContract>;

/**
 * A systemd unit with its files. Each start must end with a healthy unit.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
 */
export class Unit extends resourceClass(unitContract) {}

export type ImagesArgs = Args<typeof imagesContract>;

/** Container images on a machine, loaded from archives or pulled from registries. */
export class Images extends resourceClass(imagesContract) {}

export type StaticPodArgs = Args<typeof staticPodContract>;

/**
 * A static Pod of a machine's kubelet, with the files that it reads.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
 */
export class StaticPod extends resourceClass(staticPodContract) {}

export type LeftoversArgs = Args<typeof leftoversContract>;

/**
 * Cleans up what a component leaves on a machine. Creating the resource does nothing; deleting it runs the cleanup.
 * Declare it before the component, so that it is deleted after it.
 */
export class Leftovers extends resourceClass(leftoversContract) {}

export type FirewallArgs = Args<typeof firewallContract>;

/** Openings in the firewall that is active on a machine: firewalld or ufw. Does nothing where neither is active. */
export class Firewall extends resourceClass(firewallContract) {}

export type HostsArgs = Args<typeof etcHostsContract>;

/** The cluster's machines by name in a machine's /etc/hosts, in a block of its own. Other lines are left alone. */
export class Hosts extends resourceClass(etcHostsContract) {}
