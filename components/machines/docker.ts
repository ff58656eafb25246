import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../common/optional";
import { portablePath } from "../../common/portable-path";
import { DockerImage, DockerMachine, DockerNetwork } from "../../sdk/docker";
import { SshKey } from "../../sdk/local";
import { cidr } from "../fields/fields";
import { type RollingArgs, defineKind, replacementOf, turnOf } from "./kind";
import type { Machine } from "./machine";
import { assignSlots, slotCount } from "./slots";

/** Limits of one container. */
export interface DockerSize {
  /**
   * Number of CPUs; fractions are allowed.
   * @default no limit
   */
  cpus?: number | undefined;
  /**
   * Memory in MiB.
   * @default no limit
   */
  memoryMiB?: number | undefined;
}

/** Arguments of `DockerMachines`. */
export interface DockerMachinesArgs extends DockerSize, RollingArgs {
  /** Hostnames of the machines. The address of each one follows from its name. */
  names: string[];
  /** Folder for the cluster's SSH key on the computer that runs Pulumi. */
  keyFolder: string;
  /**
   * Range of the machines' network.
   * @default a free /24
   */
  subnet?: string;
  /** Ranges of pods and services, which the machines' network must not overlap. */
  avoid?: string[];
  /** Limits of single machines by hostname, in place of `cpus` and `memoryMiB`. */
  sizes?: Record<string, DockerSize>;
}

/**
 * Local machines for development and tests: Docker containers that run systemd and sshd, on a network of their own.
 *
 * @example
 * const { machines } = new DockerMachines("dev", { names: ["control-plane-1", "worker-1"], keyFolder: "/home/me/keys"
 * });
 */
export class DockerMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  /** Value of the label on everything that Docker has for these machines. */
  readonly stackId: pulumi.Output<string>;
  readonly network: DockerNetwork;

  constructor(name: string, args: DockerMachinesArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:DockerMachines", name, {}, options);
    const child = { parent: this };
    const { keyFolder, subnet, avoid = [], names } = args;
    const key = new SshKey(
      `${name}-ssh-key`,
      { path: portablePath(`${keyFolder}/id_ed25519`), comment: `kubewright ${name}` },
      child,
    );
    this.stackId = key.publicKey.apply((publicKey) => stackIdOf(name, publicKey));
    const image = new DockerImage(`${name}-image`, {}, child);
    this.network = new DockerNetwork(
      `${name}-network`,
      { stack: this.stackId, avoid, ...optional({ subnet: subnet || undefined }) },
      { ...child, dependsOn: [image] },
    );
    const slots = assignSlots(names, slotCount(subnet));
    this.machines = names.map((hostname) => this.makeMachine(hostname, slots.get(hostname) ?? 0, args, image, key));
    this.registerOutputs({});
  }

  private makeMachine(
    hostname: string,
    index: number,
    args: DockerMachinesArgs,
    image: DockerImage,
    key: SshKey,
  ): Machine {
    const { cpus, memoryMiB } = { ...args, ...args.sizes?.[hostname] };
    const machine = new DockerMachine(
      hostname,
      {
        stack: this.stackId,
        hostname,
        image: image.ref,
        network: this.network.networkName,
        index,
        authorizedKey: key.publicKey,
        ...optional({ cpus, memory: memoryMiB }),
      },
      { parent: this, ...optional({ dependsOn: turnOf(hostname, args) }), ...replacementOf(hostname, args) },
    );
    const { address: host, port, user, hostKey, privateAddress } = machine;
    return { name: hostname, host, port, user, hostKey, privateAddress, privateKeyPath: key.path, madeBy: machine };
  }
}

/** The random SSH key distinguishes stacks of the same name in different checkouts of the project. */
export function stackIdOf(name: string, publicKey: string): string {
  const key = publicKey.split(" ")[1] ?? publicKey;
  return `${name}-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
}

const shared = {
  /**
   * Range of the machines' network. A change recreates the network and all machines on it.
   * @default a free /24
   */
  subnet: cidr.optional(),
};

const each = {
  /**
   * Number of CPUs that a machine may use; fractions are allowed.
   * @default no limit
   */
  cpus: z.number().positive().optional(),
  /**
   * Memory that a machine may use, in MiB.
   * @default no limit
   */
  memoryMiB: z.int().min(512).optional(),
};

export const dockerKind = defineKind({
  name: "docker",
  makes: true,
  shared,
  each,
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  make({ cluster, machines, shared: { subnet }, folder, avoid, rollingUpdate, turns }, options) {
    return new DockerMachines(
      cluster,
      {
        names: machines.map(({ name }) => name),
        sizes: Object.fromEntries(machines.map(({ name, settings }) => [name, settings])),
        keyFolder: folder,
        avoid,
        ...optional({ subnet, rollingUpdate, turns }),
      },
      options,
    );
  },
});
