import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { DockerImage, DockerMachine, DockerNetwork } from "../provider/sdk/docker";
import { SshKey } from "../provider/sdk/local";
import { parseCidr } from "../render/cidr";
import { slotsOf } from "./docker-slots";
import type { Machine } from "./machine";
import type { Turns } from "./turns";

/** Of the addresses of a network, those before the first machine's and the two that are nobody's. */
const NO_MACHINES = 12;
const CHOSEN_PREFIX = 24;

export interface DockerMachinesArgs {
  /** Hostnames; each one's address follows from its name. */
  names: string[];
  /** Folder of the controller in which the cluster's SSH key is kept. */
  keyFolder: string;
  /** Default: a free one is chosen. */
  subnet?: string;
  /** Ranges that the machines' network must not touch: those of pods and services. */
  avoid?: string[];
  /** Per machine; default: no limit. */
  cpus?: number;
  memoryMiB?: number;
  /** So that a change of many machines takes them in turn. */
  turns?: Turns;
}

/** Local machines for trying and testing: containers with systemd and sshd, on a network of their own. */
export class DockerMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  /** The label on everything that Docker holds for this cluster. */
  readonly stackId: pulumi.Output<string>;

  constructor(name: string, args: DockerMachinesArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:DockerMachines", name, {}, options);
    const child = { parent: this };
    const key = new SshKey(`${name}-ssh-key`, { path: `${args.keyFolder}/id_ed25519`, comment: `kubewright ${name}` }, child);
    this.stackId = key.publicKey.apply((publicKey) => stackIdOf(name, publicKey));
    const image = new DockerImage(`${name}-image`, {}, child);
    const network = new DockerNetwork(
      `${name}-network`,
      { stack: this.stackId, avoid: args.avoid ?? [], ...(args.subnet ? { subnet: args.subnet } : {}) },
      { ...child, dependsOn: [image] },
    );
    const room = Math.max(2 ** (32 - (parseCidr(args.subnet ?? "")?.prefix ?? CHOSEN_PREFIX)) - NO_MACHINES, 1);
    const slots = slotsOf(args.names, room);
    this.machines = args.names.map((hostname) => {
      const machine = new DockerMachine(
        hostname,
        {
          stack: this.stackId,
          hostname,
          image: image.ref,
          network: network.networkName,
          index: slots.get(hostname) ?? 0,
          authorizedKey: key.publicKey,
          ...(args.cpus === undefined ? {} : { cpus: args.cpus }),
          ...(args.memoryMiB === undefined ? {} : { memory: args.memoryMiB }),
        },
        { ...child, ...(args.turns ? { dependsOn: args.turns.of(hostname) } : {}) },
      );
      const { address, port, user, hostKey, privateAddress } = machine;
      return { name: hostname, address, port, user, hostKey, privateAddress, privateKeyPath: key.path, madeBy: machine };
    });
    this.registerOutputs({});
  }
}

/** Two clones may both have a stack `dev`: the key, which is made at random, tells them apart. */
export function stackIdOf(name: string, publicKey: string): string {
  const key = publicKey.split(" ")[1] ?? publicKey;
  return `${name}-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
}
