import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../common/optional";
import { portablePath } from "../../common/portable-path";
import { VAGRANT_PROVIDERS } from "../../render/vagrantfile";
import { DockerImage } from "../../sdk/docker";
import { ExistingVagrantMachine, VagrantBox, VagrantMachine, type VagrantMachineArgs } from "../../sdk/vagrant";
import { cidr, nodeName } from "../fields/fields";
import {
  type MachineOrder,
  type MachineSpec,
  type MachinesArgs,
  defineKind,
  orderOf,
  replacementOf,
  turnOf,
} from "./kind";
import type { SettingsProblem } from "./kind";
import type { Machine } from "./machine";
import { assignSlots, slotCount } from "./slots";

/** Size of a VM without settings: slightly more than kubeadm requires of a control plane. */
const VM_SIZE = { cpus: 2, memoryMiB: 2048 };

const shared = {
  /**
   * Range of the machines' private network. The nodes' addresses are in it. VirtualBox allows the default range
   * without configuration.
   */
  subnet: cidr.default("192.168.56.0/24"),
  /**
   * Path of a Vagrantfile of your own, on the computer that runs Pulumi. Its machines are used as they are: they are
   * neither created nor started nor destroyed.
   * @default a Vagrantfile that Kubewright writes
   */
  vagrantfile: z.string().min(1).optional(),
  /**
   * Names of the machines in your own Vagrantfile by node name, where they differ: `{ worker-1: node2 }`.
   * @default the node names
   */
  names: z.record(nodeName, z.string().min(1)).optional(),
};

const each = {
  /** Provider of Vagrant. All but `virtualbox`, `docker` and `vmware` need a plugin that you install. */
  provider: z.enum(VAGRANT_PROVIDERS).default("virtualbox"),
  /**
   * Box of the machine: `fedora/41-cloud-base`. Required, except with the provider `docker`, which uses Kubewright's
   * machine image, and with a Vagrantfile of your own.
   */
  box: z.string().min(1).optional(),
  /**
   * Version of the box.
   * @default the newest one
   */
  boxVersion: z.string().min(1).optional(),
  /**
   * Number of CPUs.
   * @default 2 for VMs, the host's CPUs for containers
   */
  cpus: z.int().min(1).optional(),
  /**
   * Memory in MiB.
   * @default 2048 for VMs, the host's memory for containers
   */
  memoryMiB: z.int().min(512).optional(),
  /**
   * Size of the disk in GiB.
   * @default the size of the box's disk
   */
  diskGiB: z.int().min(1).optional(),
  /** Whether the folder of the Vagrantfile is mounted at /vagrant in the machine. */
  syncedFolder: z.boolean().default(false),
};

const shapes = { shared, each };
type Shared = z.output<z.ZodObject<typeof shared>>;
type Each = z.output<z.ZodObject<typeof each>>;
type VagrantOrder = Omit<MachineOrder<Shared, Each>, "avoid">;

/**
 * Machines that Vagrant creates from a Vagrantfile that Kubewright writes, or the existing machines of a Vagrantfile
 * of your own.
 *
 * @example
 * new VagrantMachines("dev", {
 *   machines: [{ name: "control-plane-1", role: "control-plane" }, { name: "worker-1" }],
 *   settings: { box: "fedora/41-cloud-base", provider: "libvirt" },
 *   folder: "/home/me/keys",
 * });
 */
export class VagrantMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  private readonly boxes = new Map<string, VagrantBox>();

  constructor(
    name: string,
    args: MachinesArgs<typeof shared, typeof each> & Pick<VagrantOrder, "networks">,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:VagrantMachines", name, {}, options);
    const order: VagrantOrder = orderOf(shapes, name, args);
    const { vagrantfile } = order.shared;
    this.machines = this.makeMachines({ ...order, ...optional({ networks: args.networks }) }, vagrantfile);
    this.registerOutputs({});
  }

  private makeMachines(order: VagrantOrder, vagrantfile: string | undefined): Machine[] {
    if (vagrantfile !== undefined) return order.machines.map(({ name }) => this.readMachine(name, vagrantfile, order));
    const slots = assignSlots(
      order.machines.map(({ name }) => name),
      slotCount(order.shared.subnet),
    );
    return order.machines.map((spec) => this.createMachine(spec, slots.get(spec.name) ?? 0, order));
  }

  private createMachine({ name, settings }: MachineSpec<Each>, index: number, order: VagrantOrder): Machine {
    const { provider, boxVersion, syncedFolder, diskGiB } = settings;
    const { networks = [] } = order;
    const box = this.boxOf(order.cluster, settings);
    const size = optional({ cpus: settings.cpus, memoryMiB: settings.memoryMiB });
    const args: VagrantMachineArgs = {
      folder: portablePath(join(order.folder, "vagrant")),
      hostname: name,
      provider,
      ...(provider === "docker" ? { image: box.ref } : { box: box.ref }),
      subnet: order.shared.subnet,
      index,
      syncedFolder,
      ...optional({ boxVersion, diskGiB }),
      ...(provider === "docker" ? size : { ...VM_SIZE, ...size }),
    };
    const turn = turnOf(name, order);
    const dependsOn = turn ? turn.then((resources) => [...resources, ...networks]) : networks;
    const machine = new VagrantMachine(name, args, { parent: this, dependsOn, ...replacementOf(name, order) });
    return { ...machineOf(name, machine), madeBy: machine };
  }

  /** The box of a machine. Machines with the same box, version and provider share it. */
  private boxOf(cluster: string, { provider, box, boxVersion }: Each): VagrantBox {
    const parts = [cluster, "box", provider, box?.replace(/[^\w.-]+/g, "-"), boxVersion];
    const name = parts.filter((part) => part !== undefined).join("-");
    const existing = this.boxes.get(name);
    if (existing) return existing;
    const child = { parent: this };
    const args =
      provider === "docker"
        ? { image: new DockerImage(`${cluster}-vagrant-image`, {}, child).ref }
        : optional({ box, version: boxVersion });
    const created = new VagrantBox(name, { provider, ...args }, child);
    this.boxes.set(name, created);
    return created;
  }

  /**
   * A machine of the user's own Vagrantfile. It outlives the stack, so what was installed on it is removed when it
   * leaves the cluster.
   */
  private readMachine(name: string, vagrantfile: string, order: VagrantOrder): Machine {
    const { names = {}, subnet } = order.shared;
    const path = portablePath(resolve(vagrantfile.replace(/^~(?=\/)/, homedir())));
    const machine = new ExistingVagrantMachine(
      name,
      { vagrantfile: path, machine: names[name] ?? name, subnet },
      { parent: this, ...optional({ dependsOn: turnOf(name, order) }) },
    );
    return machineOf(name, machine);
  }
}

function machineOf(name: string, machine: VagrantMachine | ExistingVagrantMachine): Machine {
  const { address: host, port, user, privateKeyPath, hostKey, privateAddress } = machine;
  return { name, host, port, user, privateKeyPath, hostKey, privateAddress };
}

/** Settings that the chosen provider does not support. */
function findUnfit(
  { provider, box, boxVersion, cpus, diskGiB }: Each,
  { vagrantfile, names }: Shared,
): SettingsProblem[] {
  if (vagrantfile !== undefined) return [];
  const problems: SettingsProblem[] = [];
  const refuse = (property: string, reason: string, action: string) => problems.push({ property, reason, action });
  if (names !== undefined)
    refuse(
      "names",
      "names machines of a Vagrantfile of your own, and vagrantfile is not set",
      "set vagrantfile, or leave it out",
    );
  if (provider === "docker") {
    if (box !== undefined || boxVersion !== undefined)
      refuse("box", "the docker provider uses Kubewright's machine image", "leave it out, or choose another provider");
    if (diskGiB !== undefined) refuse("diskGiB", "a container uses its host's disk", "leave it out");
  } else if (box === undefined) refuse("box", "is missing", "name a box, like fedora/41-cloud-base");
  if (provider === "lxc" && (cpus !== undefined || diskGiB !== undefined))
    refuse(cpus === undefined ? "diskGiB" : "cpus", "an LXC container uses its host's", "leave it out");
  return problems;
}

export const vagrantKind = defineKind({
  name: "vagrant",
  makes: true,
  shared,
  each,
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  unfit: findUnfit,
  make: ({ cluster, ...order }, options) => new VagrantMachines(cluster, order, options),
});
