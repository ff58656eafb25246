import { register, type Registry } from "../rpc/handler";
import { imageResource } from "./image-resource";
import { machineResource } from "./machine-resource";
import { networkResource } from "./network-resource";

export const dockerResources: Registry = {
  "kubewright:docker:Image": register(imageResource),
  "kubewright:docker:Network": register(networkResource),
  "kubewright:docker:Machine": register(machineResource),
};
