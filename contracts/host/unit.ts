import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { filePathSchema, textFilesSchema } from "../files";
import { healthSchema } from "../health";
import { onMachine } from "../on-machine";

/** A systemd unit with its files. */
export const unitContract = defineContract({
  type: "kubewright:host:Unit",
  inputs: z.strictObject({
    ...onMachine,
    /** Name of the unit: `containerd.service`. A change replaces the resource. */
    unit: z
      .string()
      .regex(
        /^[\w:.\\@][\w:.\\@-]*\.(service|socket|timer|mount)$/,
        "a unit's name has letters, digits and :_.\\@-, and ends in .service, .socket, .timer or .mount",
      ),
    /** The unit's own files by path: unit file, drop-ins, configuration. A change of any of them restarts the unit. */
    files: textFilesSchema,
    /**
     * Paths of files that the unit reads again when it is reloaded. If only these files change, the unit is reloaded
     * instead of restarted.
     */
    reloadable: z.array(filePathSchema).optional(),
    /** Whether the unit starts at boot. */
    enabled: z.boolean(),
    /** Whether the unit runs. */
    running: z.boolean(),
    /**
     * Start the unit only once this file exists. The kubelet, for example, needs the configuration that kubeadm writes.
     */
    startWhenExists: filePathSchema.optional(),
    /** Values whose change restarts the unit, such as the SHA-256 of its binary. */
    restartOn: z.record(z.string(), z.string()).optional(),
    /**
     * Whether another resource replaces the running unit's program, as a `Node` does with its kubelet. The unit then
     * does not restart on a change of `restartOn`.
     * @default false
     */
    keepsProgram: z.boolean().optional(),
    /**
     * Version of Kubernetes, without `v`, of the control plane whose etcd or API server the unit runs. Before it runs
     * another program, etcd and the nodes are checked, and a snapshot of etcd is saved on the machine. The API server
     * must be ready with another etcd; otherwise etcd is put back, unless its minor version has changed. Versions that
     * Kubernetes does not support are refused at preview.
     * @default nothing is checked
     */
    kubernetes: z.string().optional(),
    /** Endpoint that must answer 200 after each start. */
    health: healthSchema.optional(),
    /**
     * Shell command that succeeds while what the unit has set up is in place, for a unit without a process. A refresh
     * runs it, and so does each start.
     */
    probe: z.string().min(1).optional(),
    /** The node of a kubelet's unit. After each start of the unit, the node must report that it is Ready. */
    node: z
      .strictObject({
        /** Name of the node. */
        name: z.string(),
        /** Connections to the control planes. The API server is reached through the first one that answers. */
        controlPlanes: controlPlanesSchema,
        /** Version that the kubelet must report, without the prefix `v`. */
        version: z.string().optional(),
        /**
         * Addresses of a node whose kubelet serves with a certificate of the cluster's CA. After each start, it must
         * serve it.
         */
        servingAddresses: z.array(z.string()).min(1).optional(),
      })
      .optional(),
    /**
     * Folders below /var/lib, /opt or /run that only this unit and its clients write, or /etc/cni. They are deleted
     * together with the unit, unless they existed before the machine's first change.
     */
    state: z
      .array(
        filePathSchema.regex(
          /^\/(var\/lib|opt|run)\/.|^\/etc\/cni$/,
          "a unit's data folder must be below /var/lib, /opt or /run, or /etc/cni",
        ),
      )
      .optional(),
    /**
     * Set by a refresh if the unit is unhealthy, so that the next `pulumi up` repairs it. Leave it unset in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
