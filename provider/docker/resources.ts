import { register, type Handler } from "../rpc/handler";
import { imageResource } from "./image-resource";
import { machineResource } from "./machine-resource";
import { networkResource } from "./network-resource";

/** Handlers of the resources that Docker makes. */
export const dockerResources: readonly Handler[] = [
  register(imageResource),
  register(networkResource),
  register(machineResource),
];
