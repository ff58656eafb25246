import type * as pulumi from "@pulumi/pulumi";
import { vagrantBoxContract } from "../contracts/vagrant/box";
import { existingVagrantMachineContract } from "../contracts/vagrant/existing-machine";
import { vagrantMachineContract } from "../contracts/vagrant/machine";
import { type Args, resourceClass } from "./resource";

export type VagrantBoxArgs = Args<typeof vagrantBoxContract>;

/** A Vagrant box on the computer that runs Pulumi. It is a cache: added once, and kept when the resource is deleted. */
export class VagrantBox extends resourceClass(vagrantBoxContract, { deleteBeforeReplace: false }) {}

export type VagrantMachineArgs = Omit<Args<typeof vagrantMachineContract>, "running">;

/** A machine of the Vagrantfile that Kubewright writes for the stack. A change of its definition replaces it. */
export class VagrantMachine extends resourceClass(vagrantMachineContract) {
  constructor(name: string, args: VagrantMachineArgs, options?: pulumi.CustomResourceOptions) {
    super(name, { ...args, running: true }, options);
  }
}

export type ExistingVagrantMachineArgs = Args<typeof existingVagrantMachineContract>;

/** A running machine of the user's own Vagrantfile. It is read, and never started, changed or destroyed. */
export class ExistingVagrantMachine extends resourceClass(existingVagrantMachineContract) {}
