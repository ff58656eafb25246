import { z } from "zod";
import { connectionSchema } from "../connection";
import { defineContract } from "../contract";
import { runtimeSchema } from "../runtime";

/** A machine to check. */
const preflightMachineSchema = z.strictObject({
  /** Name of the machine, and of its node. */
  name: z.string(),
  /** How to reach the machine over SSH. */
  connection: connectionSchema,
  /**
   * IP address at which the other nodes reach the machine.
   * @default `connection.host`
   */
  privateAddress: z.string().optional(),
  /** Role of the machine in the cluster. */
  role: z.enum(["control-plane", "worker"]),
  /**
   * Whether swap may be on, because the machine's kubelet is configured with `failSwapOn: false`.
   * @default false
   */
  swapAllowed: z.boolean().optional(),
});

/** Checks all machines before anything changes on any of them. Fails with one list of all problems. */
export const preflightContract = defineContract({
  type: "kubewright:cluster:Preflight",
  inputs: z.strictObject({
    /** The machines to check. */
    machines: z.array(preflightMachineSchema).min(1, "a cluster has at least one machine"),
    /** CIDR of the pods. */
    podCidr: z.string(),
    /** CIDR of the services. */
    serviceCidr: z.string(),
    /** Mode of kube-proxy. */
    proxyMode: z.enum(["nftables", "iptables"]),
    /**
     * The container runtime of the nodes.
     * @default "containerd"
     */
    runtime: runtimeSchema.optional(),
    /** Set if the cluster is built without kubeadm: then nothing that kubeadm set up may be on a machine. */
    bootstrap: z.literal("components").optional(),
    /** Name to machine-id of machines that another preflight has checked. Their findings are not reported again. */
    judged: z.record(z.string(), z.string()).optional(),
  }),
  outputs: z.object({
    /** Name to machine-id of the machines that passed. What the cluster runs on them later is not a finding. */
    passed: z.record(z.string(), z.string()),
  }),
});
