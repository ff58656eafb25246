import { register, type Registry } from "../rpc/handler";
import { boxResource } from "./box-resource";
import { existingResource } from "./existing-resource";
import { machineResource } from "./machine-resource";

export const vagrantResources: Registry = {
  "kubewright:vagrant:Box": register(boxResource),
  "kubewright:vagrant:Machine": register(machineResource),
  "kubewright:vagrant:ExistingMachine": register(existingResource),
};
