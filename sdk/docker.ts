import type * as pulumi from "@pulumi/pulumi";
import { dockerImageContract } from "../contracts/docker/image";
import { dockerMachineContract } from "../contracts/docker/machine";
import { dockerNetworkContract } from "../contracts/docker/network";
import { type Args, resourceClass } from "./resource";

export type DockerImageArgs = Args<typeof dockerImageContract>;

/**
 * The image of Docker machines. It is a cache: built once for a Docker host, and kept when the resource is deleted.
 * @example
 * const image = new DockerImage("image");
 */
export class DockerImage extends resourceClass(dockerImageContract, { deleteBeforeReplace: false }) {
  constructor(name: string, args: DockerImageArgs = {}, options?: pulumi.CustomResourceOptions) {
    super(name, args, options);
  }
}

export type DockerNetworkArgs = Args<typeof dockerNetworkContract>;

/**
 * A Docker bridge network for the machines of one stack.
 * @example
 * const network = new DockerNetwork("network", { stack: "lab", avoid: ["10.244.0.0/16"] });
 */
export class DockerNetwork extends resourceClass(dockerNetworkContract) {}

export type DockerMachineArgs = Omit<Args<typeof dockerMachineContract>, "running">;

/**
 * A Docker container that is a machine: systemd, sshd and an IP address of its own.
 * @example
 * const machine = new DockerMachine("worker-1", {
 *   stack: "lab",
 *   hostname: "worker-1",
 *   image: image.ref,
 *   network: network.networkName,
 *   index: 0,
 *   authorizedKey: key.publicKey,
 * });
 */
export class DockerMachine extends resourceClass(dockerMachineContract) {
  constructor(name: string, args: DockerMachineArgs, options?: pulumi.CustomResourceOptions) {
    super(name, { ...args, running: true }, options);
  }
}
