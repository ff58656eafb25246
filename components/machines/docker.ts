import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { DockerImage, DockerMachine, DockerNetwork } from "../../sdk/docker";
import { SshKey } from "../../sdk/local";
import { cidr } from "../fields/fields";
import { roomIn, slotsOf } from "./docker-slots";
import { type Takers, kind } from "./kind";
import type { Machine } from "./machine";

/** Of one machine; absent: not limited. */
export interface DockerSize {
  cpus?: number | undefined;
  memoryMiB?: number | undefined;
}

export interface DockerMachinesArgs extends DockerSize {
  /** Hostnames; each one's address follows from its name. */
  names: string[];
  /** Folder of the controller in which the cluster's SSH key is kept. */
  keyFolder: string;
  /** Default: a free one is chosen. */
  subnet?: string;
  /** Ranges that the machines' network must not touch: those of pods and services. */
  avoid?: string[];
  /** By hostname: sizes other than `cpus` and `memoryMiB`, which are those of all. */
  sizes?: Record<string, DockerSize>;
  /** So that a change of many machines takes them in turn. */
  turns?: Takers;
}

/** Local machines for trying and testing: containers with systemd and sshd, on a network of their own. */
export class DockerMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  /** The label on everything that Docker holds for this cluster. */
  readonly stackId: pulumi.Output<string>;
  readonly network: pulumi.Resource;

  constructor(name: string, args: DockerMachinesArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:DockerMachines", name, {}, options);
    const child = { parent: this };
    const key = new SshKey(
      `${name}-ssh-key`,
      { path: `${args.keyFolder}/id_ed25519`, comment: `kubewright ${name}` },
      child,
    );
    this.stackId = key.publicKey.apply((publicKey) => stackIdOf(name, publicKey));
    const image = new DockerImage(`${name}-image`, {}, child);
    const network = new DockerNetwork(
      `${name}-network`,
      { stack: this.stackId, avoid: args.avoid ?? [], ...(args.subnet ? { subnet: args.subnet } : {}) },
      { ...child, dependsOn: [image] },
    );
    this.network = network;
    const slots = slotsOf(args.names, roomIn(args.subnet));
    this.machines = args.names.map((hostname) => {
      const { cpus, memoryMiB } = { ...args, ...args.sizes?.[hostname] };
      const machine = new DockerMachine(
        hostname,
        {
          stack: this.stackId,
          hostname,
          image: image.ref,
          network: network.networkName,
          index: slots.get(hostname) ?? 0,
          authorizedKey: key.publicKey,
          ...(cpus === undefined ? {} : { cpus }),
          ...(memoryMiB === undefined ? {} : { memory: memoryMiB }),
        },
        { ...child, ...(args.turns ? { dependsOn: args.turns.of(hostname) } : {}) },
      );
      const { address, port, user, hostKey, privateAddress } = machine;
      return {
        name: hostname,
        address,
        port,
        user,
        hostKey,
        privateAddress,
        privateKeyPath: key.path,
        madeBy: machine,
      };
    });
    this.registerOutputs({});
  }
}

/** Two clones may both have a stack `dev`: the key, which is made at random, tells them apart. */
export function stackIdOf(name: string, publicKey: string): string {
  const key = publicKey.split(" ")[1] ?? publicKey;
  return `${name}-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
}

export const dockerKind = kind({
  name: "docker",
  makes: true,
  /** The machines' network; absent: a free one is chosen. */
  shared: { subnet: cidr.optional() },
  each: { cpus: z.number().positive().optional(), memoryMiB: z.int().min(512).optional() },
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  make({ cluster, machines, shared: { subnet }, folder, avoid, turns }, options) {
    return new DockerMachines(
      cluster,
      {
        names: machines.map(({ name }) => name),
        sizes: Object.fromEntries(machines.map(({ name, settings }) => [name, settings])),
        keyFolder: folder,
        avoid,
        ...(subnet === undefined ? {} : { subnet }),
        ...(turns ? { turns } : {}),
      },
      options,
    );
  },
});
