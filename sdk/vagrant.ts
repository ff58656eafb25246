import * as pulumi from "@pulumi/pulumi";
import type { VagrantProvider } from "../render/vagrantfile";
import { inPlace } from "./in-place";

export interface VagrantBoxArgs {
  provider: VagrantProvider;
  box?: pulumi.Input<string> | undefined;
  version?: pulumi.Input<string> | undefined;
  /** With the docker provider: a DockerImage's `ref`, of which a box is made. */
  image?: pulumi.Input<string> | undefined;
}

/** A box on this computer; downloaded where Vagrant has it not. `pulumi destroy` leaves it there. */
export class VagrantBox extends pulumi.CustomResource {
  /** The box's name, or with the docker provider the image. */
  declare readonly ref: pulumi.Output<string>;

  constructor(name: string, args: VagrantBoxArgs, opts?: pulumi.CustomResourceOptions) {
    super("kubewright:vagrant:Box", name, { ref: undefined, ...args }, opts);
  }
}

export interface VagrantMachineArgs {
  /** On the controller: of the Vagrantfile, which is written there. */
  folder: pulumi.Input<string>;
  hostname: pulumi.Input<string>;
  provider: VagrantProvider;
  box?: pulumi.Input<string> | undefined;
  boxVersion?: pulumi.Input<string> | undefined;
  image?: pulumi.Input<string> | undefined;
  /** IPv4 CIDR of the private network. */
  subnet: pulumi.Input<string>;
  /** From 0: the address that follows from it is the same for a machine made anew. */
  index: pulumi.Input<number>;
  cpus?: pulumi.Input<number> | undefined;
  memoryMiB?: pulumi.Input<number> | undefined;
  diskGiB?: pulumi.Input<number> | undefined;
  /** Default false. */
  syncedFolder?: pulumi.Input<boolean> | undefined;
}

/** What is known of a machine that Vagrant has, whoever defined it. */
abstract class OfVagrant extends pulumi.CustomResource {
  /** Where the controller reaches it: its private address, or the port that Vagrant forwards. */
  declare readonly address: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  /** `vagrant` in most boxes. */
  declare readonly user: pulumi.Output<string>;
  /** The key that Vagrant put in the place of its well-known one. */
  declare readonly privateKeyPath: pulumi.Output<string>;
  /** Read over the provider's own channel: so the very first connection is verified. */
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly privateAddress: pulumi.Output<string>;
}

/** A machine of the stack's own Vagrantfile. */
export class VagrantMachine extends OfVagrant {
  constructor(name: string, args: VagrantMachineArgs, opts?: pulumi.CustomResourceOptions) {
    super("kubewright:vagrant:Machine", name, { ...OUTPUTS, ...args, running: true }, inPlace(opts));
  }
}

export interface ExistingVagrantMachineArgs {
  vagrantfile: pulumi.Input<string>;
  /** Its name in the Vagrantfile. */
  machine: pulumi.Input<string>;
  subnet?: pulumi.Input<string> | undefined;
}

/** A machine of a person's Vagrantfile: read, never changed. */
export class ExistingVagrantMachine extends OfVagrant {
  constructor(name: string, args: ExistingVagrantMachineArgs, opts?: pulumi.CustomResourceOptions) {
    super("kubewright:vagrant:ExistingMachine", name, { ...OUTPUTS, ...args }, inPlace(opts));
  }
}

const OUTPUTS = {
  machineId: undefined,
  address: undefined,
  port: undefined,
  user: undefined,
  privateKeyPath: undefined,
  hostKey: undefined,
  privateAddress: undefined,
};
