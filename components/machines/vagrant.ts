import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { DockerImage } from "../../sdk/docker";
import { ExistingVagrantMachine, VagrantBox, VagrantMachine, type VagrantMachineArgs } from "../../sdk/vagrant";
import { VAGRANT_PROVIDERS } from "../../render/vagrantfile";
import { cidr, nodeName } from "../fields/fields";
import { slotsOf, roomIn } from "./docker-slots";
import { type Made, type Order, type Unfit, kind } from "./kind";
import type { Machine } from "./machine";

/** What every VM has that nobody says anything else of: the least with which kubeadm makes a control plane, and a little. */
const VM = { cpus: 2, memoryMiB: 2048 };

const shared = {
  /** The private network, by which the nodes know one another. Default: the range that VirtualBox allows without being asked. */
  subnet: cidr.default("192.168.56.0/24"),
  /** A Vagrantfile of the person's own: its machines are used as they are, and neither made nor destroyed. */
  vagrantfile: z.string().min(1).optional(),
  /** With `vagrantfile`: node name to the machine's name in it, where they differ. */
  names: z.record(nodeName, z.string().min(1)).optional(),
};

const each = {
  provider: z.enum(VAGRANT_PROVIDERS).default("virtualbox"),
  /** `fedora/41-cloud-base`; with the docker provider none: it has Kubewright's own machine image. */
  box: z.string().min(1).optional(),
  boxVersion: z.string().min(1).optional(),
  /** Default 2 for VMs, the host's for containers. */
  cpus: z.int().min(1).optional(),
  /** Default 2048 for VMs, the host's for containers. */
  memoryMiB: z.int().min(512).optional(),
  /** Default: the box's. */
  diskGiB: z.int().min(1).optional(),
  /** Whether the Vagrantfile's folder is at /vagrant in the machine. */
  syncedFolder: z.boolean().default(false),
};

type Shared = z.output<z.ZodObject<typeof shared>>;
type Each = z.output<z.ZodObject<typeof each>>;
type VagrantOrder = Order<Shared, Each>;

/** Machines that Vagrant makes, of a Vagrantfile that is written for the stack; or those of a Vagrantfile that is the person's. */
export class VagrantMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  private readonly boxes = new Map<string, VagrantBox>();

  constructor(name: string, order: VagrantOrder, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:VagrantMachines", name, {}, options);
    const { vagrantfile } = order.shared;
    this.machines =
      vagrantfile === undefined
        ? this.make(order)
        : order.machines.map((wanted) => this.existing(wanted.name, vagrantfile, order));
    this.registerOutputs({});
  }

  private make({ cluster, machines, shared: { subnet }, folder, turns, networks = [] }: VagrantOrder): Machine[] {
    const slots = slotsOf(
      machines.map(({ name }) => name),
      roomIn(subnet),
    );
    return machines.map(({ name, settings }) => {
      const { provider, boxVersion, syncedFolder, diskGiB } = settings;
      const box = this.box(cluster, settings);
      const { cpus, memoryMiB } =
        provider === "docker"
          ? settings
          : { ...VM, ...defined({ cpus: settings.cpus, memoryMiB: settings.memoryMiB }) };
      const args: VagrantMachineArgs = {
        folder: join(folder, "vagrant"),
        hostname: name,
        provider,
        ...(provider === "docker" ? { image: box.ref } : { box: box.ref }),
        subnet,
        index: slots.get(name) ?? 0,
        syncedFolder,
        ...defined({ boxVersion, cpus, memoryMiB, diskGiB }),
      };
      const before = turns ? turns.of(name).then((turn) => [...turn, ...networks]) : networks;
      return machineOf(name, new VagrantMachine(name, args, { parent: this, dependsOn: before }), true);
    });
  }

  /** One for machines that are made of the same. */
  private box(cluster: string, { provider, box, boxVersion }: Each): VagrantBox {
    const name = [
      cluster,
      "box",
      provider,
      ...(box === undefined ? [] : [box.replace(/[^\w.-]+/g, "-")]),
      ...(boxVersion === undefined ? [] : [boxVersion]),
    ].join("-");
    const child = { parent: this };
    const args =
      provider === "docker"
        ? () => ({ image: new DockerImage(`${cluster}-vagrant-image`, {}, child).ref })
        : () => defined({ box, version: boxVersion });
    const made = this.boxes.get(name) ?? new VagrantBox(name, { provider, ...args() }, child);
    this.boxes.set(name, made);
    return made;
  }

  private existing(
    name: string,
    vagrantfile: string,
    { shared: { names = {}, subnet }, turns }: VagrantOrder,
  ): Machine {
    const file = resolve(vagrantfile.replace(/^~(?=\/)/, homedir()));
    const args = { vagrantfile: file, machine: names[name] ?? name, subnet };
    return machineOf(
      name,
      new ExistingVagrantMachine(name, args, { parent: this, ...(turns ? { dependsOn: turns.of(name) } : {}) }),
      false,
    );
  }
}

/** What is on a machine of the person's own is undone when it leaves the cluster; what is on one that goes with the stack is not. */
function machineOf(name: string, machine: VagrantMachine | ExistingVagrantMachine, goes: boolean): Machine {
  const { address, port, user, privateKeyPath, hostKey, privateAddress } = machine;
  return { name, address, port, user, privateKeyPath, hostKey, privateAddress, ...(goes ? { madeBy: machine } : {}) };
}

function defined<T extends object>(given: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** What Vagrant's providers cannot do. */
function unfit({ provider, box, boxVersion, cpus, diskGiB }: Each, { vagrantfile, names }: Shared): Unfit[] {
  const found: Unfit[] = [];
  if (names !== undefined && vagrantfile === undefined)
    found.push({
      property: "names",
      reason: "there is no Vagrantfile of your own whose machines it could name",
      action: "set vagrantfile, or leave it out",
    });
  if (vagrantfile !== undefined) return found;
  if (provider === "docker") {
    if (box !== undefined || boxVersion !== undefined)
      found.push({
        property: "box",
        reason: "the docker provider has Kubewright's machine image",
        action: "leave it out, or choose another provider",
      });
    if (diskGiB !== undefined)
      found.push({ property: "diskGiB", reason: "a container has its host's disk", action: "leave it out" });
  } else if (box === undefined)
    found.push({ property: "box", reason: "is missing", action: "name a box, like fedora/41-cloud-base" });
  if (provider === "lxc" && (cpus !== undefined || diskGiB !== undefined)) {
    found.push({
      property: cpus === undefined ? "diskGiB" : "cpus",
      reason: "a container of LXC has its host's",
      action: "leave it out",
    });
  }
  return found;
}

export const vagrantKind = kind({
  name: "vagrant",
  makes: true,
  shared,
  each,
  ranges: ({ subnet }: Partial<Shared>) => (subnet === undefined ? undefined : { subnet }),
  unfit,
  make: (order, options): Made => new VagrantMachines(order.cluster, order, options),
});
