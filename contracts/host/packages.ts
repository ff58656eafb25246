import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/** Packages of the machine's distribution. They stay installed when the resource is deleted. */
export const packagesContract = defineContract({
  type: "kubewright:host:Packages",
  inputs: z.strictObject({
    ...onMachine,
    /** Names of the packages. */
    packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/, "not the name of a package")),
    /**
     * The distribution's family, an output of `Host`: apt for `debian`, dnf for `fedora`; nothing is installed on
     * `other`.
     */
    osFamily: z.enum(["debian", "fedora", "other"]),
    /** Skip the packages if the machine has this program: `dockerd`. */
    unlessProgram: z
      .string()
      .regex(/^[a-z0-9.-]+$/, "not the name of a program")
      .optional(),
    /**
     * Services that a package would enable and start when it is installed. They stay disabled and stopped. A package
     * that the machine has already is not changed.
     */
    unusedServices: z.array(z.string().regex(/^[\w@.-]+\.service$/, "a service's name ends in .service")).optional(),
  }),
  outputs: z.object({}),
});
