import { z } from "zod";

/** How a node is emptied before it leaves the cluster. The defaults lose no data, as those of `kubectl drain`. */
export const drainSchema = z.strictObject({
  /**
   * Seconds until the drain gives up and makes the node schedulable again.
   * @default 300
   */
  timeout: z.number().positive().default(300),
  /**
   * Pods with an emptyDir volume: `refuse` stops the drain before anything changes, `delete` evicts them and loses the
   * volume's content.
   * @default "refuse"
   */
  localData: z.enum(["refuse", "delete"]).default("refuse"),
  /**
   * Pods without a controller, which nothing recreates: `refuse` stops the drain before anything changes, `delete`
   * evicts them.
   * @default "refuse"
   */
  unmanaged: z.enum(["refuse", "delete"]).default("refuse"),
  /**
   * Seconds that an evicted pod gets to terminate. Absent: the pod's own `terminationGracePeriodSeconds`.
   */
  gracePeriod: z.int().nonnegative().optional(),
  /**
   * Evict all pods, whatever data they hold, and do not wait for a machine that does not answer.
   * @default false
   */
  force: z.boolean().default(false),
  /**
   * Pods of a node whose kubelet is silent: `prove` deletes them once it is proved that the machine is off or deleted
   * (by Docker, Vagrant, a changed machine-id, `recovery.abandoned` or `fence`), `force` deletes them immediately,
   * `fail` never deletes them.
   * @default "prove"
   */
  onUnreachable: z.enum(["prove", "force", "fail"]).default("prove"),
  /**
   * Shell command that powers a machine off, for example through IPMI. It runs on this computer when a kubelet is
   * silent, with `KUBEWRIGHT_MACHINE` and `KUBEWRIGHT_HOST` in its environment. Exit code 0 proves that the machine is
   * off.
   */
  fence: z.string().min(1).optional(),
});

export type DrainSettings = z.infer<typeof drainSchema>;

/** The drain settings that apply when none are configured. */
export const DRAIN_DEFAULTS: DrainSettings = drainSchema.parse({});
