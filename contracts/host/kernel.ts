import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/** Kernel modules and sysctls, now and after each boot (modules-load.d(5), sysctl.d(5)). */
export const kernelContract = defineContract({
  type: "kubewright:host:Kernel",
  inputs: z.strictObject({
    ...onMachine,
    /** Kernel modules to load. */
    modules: z.array(z.string().regex(/^[a-z0-9_][a-z0-9_-]*$/, "a module's name has letters, digits, - and _")),
    /** Sysctls by name: `net.ipv4.ip_forward`. */
    sysctls: z.record(
      z.string().regex(/^[a-z0-9_][a-zA-Z0-9_./-]*$/, "a sysctl's name is dotted: net.ipv4.ip_forward"),
      z.string().regex(/^[\x20-\x7e]+$/, "a sysctl's value is one line of printable characters"),
    ),
    /** Whether swap must be off. The kubelet refuses to start while swap is on, unless it is configured for swap. */
    swapOff: z.boolean().optional(),
    /**
     * Set by a refresh if a file or the swap differs, so that the next `pulumi up` repairs it. Leave it unset in
     * programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
