import { z } from "zod";
import { connectionSchema } from "./connection";

/** Inputs that every resource on a machine has. */
export const onMachine = {
  /** How to reach the machine over SSH. */
  connection: connectionSchema,
  /**
   * The machine-id (/etc/machine-id), an output of `Host`. A rebuilt machine has a new one, which replaces the
   * resource.
   */
  instance: z.string().min(1),
};

export const onMachineSchema = z.strictObject(onMachine);
export type OnMachine = z.output<typeof onMachineSchema>;
export type WrittenOnMachine = z.input<typeof onMachineSchema>;
