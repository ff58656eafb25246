import { register, type Handler } from "../rpc/handler";
import { boxResource } from "./box-resource";
import { existingResource } from "./existing-resource";
import { machineResource } from "./machine-resource";

/** Handlers of the resources that Vagrant makes. */
export const vagrantResources: readonly Handler[] = [
  register(boxResource),
  register(machineResource),
  register(existingResource),
];
