import { register, type Handler } from "../../rpc/handler";
import { boxResource } from "./box";
import { existingResource } from "./existing-machine";
import { machineResource } from "./machine";

/** Handlers of the resources that Vagrant makes. */
export const vagrantResources: readonly Handler[] = [
  register(boxResource),
  register(machineResource),
  register(existingResource),
];
