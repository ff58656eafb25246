import * as pulumi from "@pulumi/pulumi";
import { inPlace } from "./in-place";

export interface DockerImageArgs {
  /** `dockerfile` from a base image, `mmdebstrap` from the Debian host's packages; default `auto`: what works. */
  recipe?: pulumi.Input<string> | undefined;
}

/** The image that machines are made of. Built once per host; `pulumi destroy` leaves it there. */
export class DockerImage extends pulumi.CustomResource {
  /** `kubewright/machine:<hash>`: what a DockerMachine takes. */
  declare readonly ref: pulumi.Output<string>;
  /** `sha256:...` */
  declare readonly imageId: pulumi.Output<string>;

  constructor(name: string, args: DockerImageArgs = {}, opts?: pulumi.CustomResourceOptions) {
    super("kubewright:docker:Image", name, { ref: undefined, imageId: undefined, ...args }, opts);
  }
}

export interface DockerNetworkArgs {
  /** What everything of this stack is labelled with. */
  stack: pulumi.Input<string>;
  /** IPv4 CIDR; default: a free /24. */
  subnet?: pulumi.Input<string> | undefined;
  /** CIDRs that the chosen subnet keeps clear of: pods' and services' ranges. */
  avoid?: pulumi.Input<pulumi.Input<string>[]> | undefined;
}

/** A bridge network for the machines of one stack. */
export class DockerNetwork extends pulumi.CustomResource {
  declare readonly networkName: pulumi.Output<string>;
  declare readonly actualSubnet: pulumi.Output<string>;
  declare readonly gateway: pulumi.Output<string>;

  constructor(name: string, args: DockerNetworkArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "kubewright:docker:Network",
      name,
      { networkName: undefined, actualSubnet: undefined, gateway: undefined, ...args },
      inPlace(opts),
    );
  }
}

export interface DockerMachineArgs {
  stack: pulumi.Input<string>;
  /** Unique within the stack. */
  hostname: pulumi.Input<string>;
  /** A DockerImage's `ref`. A change replaces the machine. */
  image: pulumi.Input<string>;
  /** A DockerNetwork's `networkName`. */
  network: pulumi.Input<string>;
  /** IPv4 in the network's subnet; either this or `index`. */
  fixedAddress?: pulumi.Input<string> | undefined;
  /** From 0: the address that follows from it is the same for a machine made anew. */
  index?: pulumi.Input<number> | undefined;
  /** Public key for root and for `admin`, who has sudo. */
  authorizedKey: pulumi.Input<string>;
  /** Default: the host's. */
  cpus?: pulumi.Input<number> | undefined;
  /** MiB; default: the host's. */
  memory?: pulumi.Input<number> | undefined;
}

/** A container that is a machine: systemd, sshd, an address of its own. */
export class DockerMachine extends pulumi.CustomResource {
  declare readonly containerId: pulumi.Output<string>;
  /** Where the controller reaches it by SSH: its own address, or 127.0.0.1 where that does not answer (Docker Desktop). */
  declare readonly address: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  /** `root` */
  declare readonly user: pulumi.Output<string>;
  /** The public host key, read through Docker: so the very first connection is verified. */
  declare readonly hostKey: pulumi.Output<string>;
  /** Its address among the machines. */
  declare readonly privateAddress: pulumi.Output<string>;
  /** `host:port` at which the controller reaches its port 6443. */
  declare readonly apiEndpoint: pulumi.Output<string>;

  constructor(name: string, args: DockerMachineArgs, opts?: pulumi.CustomResourceOptions) {
    super("kubewright:docker:Machine", name, { ...MACHINE_OUTPUTS, ...args, running: true }, inPlace(opts));
  }
}

const MACHINE_OUTPUTS = {
  containerId: undefined,
  address: undefined,
  port: undefined,
  user: undefined,
  hostKey: undefined,
  privateAddress: undefined,
  apiEndpoint: undefined,
};
