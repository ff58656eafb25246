import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/**
 * Cleans up what a component leaves on a machine: rules, routes, network links. Creating the resource does nothing;
 * deleting it runs the cleanup. Declare it before the component, so that it is deleted after it.
 */
export const leftoversContract = defineContract({
  type: "kubewright:host:Remains",
  inputs: z.strictObject({
    ...onMachine,
    /** The component whose leftovers are removed. A change replaces the resource. */
    of: z.enum(["kubelet", "kube-proxy", "flannel"]),
  }),
  outputs: z.object({}),
});
