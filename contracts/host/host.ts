import { z } from "zod";
import type { HostFacts } from "../../render/facts";
import { connectionSchema } from "../connection";
import { defineContract } from "../contract";
import { jsonObject } from "../json";

/** A machine: its facts, its identity and its pinned host key. Changes nothing on the machine. */
export const hostContract = defineContract({
  type: "kubewright:host:Host",
  inputs: z.strictObject({
    /** How to reach the machine over SSH. */
    connection: connectionSchema,
    /**
     * Seconds in which the machine may boot before it first answers.
     * @default 45
     */
    bootTimeout: z.number().positive().optional(),
  }),
  outputs: z.object({
    /** Operating system, CPU, memory, addresses and other lasting facts about the machine. */
    facts: jsonObject<HostFacts>(),
    /** The machine-id (/etc/machine-id): a rebuilt machine has a new one. */
    instance: z.string(),
    /**
     * The public host key that the machine presented. Pinned at the first connection unless `connection.hostKey` is
     * set.
     */
    hostKey: z.string(),
    /** Public host keys of the jump hosts, the nearest to the machine first. Absent in states of older versions. */
    jumpHostKeys: z.array(z.string()).optional(),
    /** Identifies the boot in which the machine was last read. */
    boot: z.string().optional(),
  }),
});
