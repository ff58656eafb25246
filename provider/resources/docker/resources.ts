import { register, type Handler } from "../../rpc/handler";
import { imageResource } from "./image";
import { machineResource } from "./machine";
import { networkResource } from "./network";

/** Handlers of the resources that Docker makes. */
export const dockerResources: readonly Handler[] = [
  register(imageResource),
  register(networkResource),
  register(machineResource),
];
