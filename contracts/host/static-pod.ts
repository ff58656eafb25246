import { z } from "zod";
import { defineContract } from "../contract";
import { filePathSchema, textFilesSchema } from "../files";
import { healthSchema } from "../health";
import { onMachine } from "../on-machine";

/** A Pod manifest: every field of the Kubernetes API is allowed. */
export const podManifestSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string().min(1),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

/** The part of a Pod manifest that Kubewright reads. */
export interface PodManifest {
  /** The Pod's metadata. Other fields of the manifest are passed to the kubelet unchanged. */
  metadata: {
    /** The Pod's name. The kubelet appends the node's name. A change replaces the resource. */
    name: string;
    /** The Pod's annotations. */
    annotations?: Record<string, string> | undefined;
  };
}

const podManifest: z.ZodType<PodManifest, PodManifest> = podManifestSchema;

/** A static Pod of a machine's kubelet, with the files that it reads. */
export const staticPodContract = defineContract({
  type: "kubewright:host:StaticPod",
  inputs: z.strictObject({
    ...onMachine,
    /** Name of the node. A change replaces the resource. */
    node: z.string(),
    /** The Pod's manifest. */
    manifest: podManifest,
    /** Files on the machine that the Pod reads, by path. A change of any of them restarts the Pod. */
    files: textFilesSchema,
    /** Endpoint that must answer 200 after each start. */
    health: healthSchema.optional(),
    /** Folders that only this Pod writes. They are deleted together with the Pod. */
    state: z.array(filePathSchema),
    /**
     * Version of Kubernetes, without `v`, of the control plane whose etcd or API server the pod runs. Before it runs
     * another program, etcd and the nodes are checked, and a snapshot of etcd is saved on the machine. The API server
     * must be ready with another etcd; otherwise etcd is put back, unless its minor version has changed. Versions that
     * Kubernetes does not support are refused at preview.
     * @default nothing is checked
     */
    kubernetes: z.string().optional(),
    /**
     * Set by a refresh if the Pod does not run, so that the next `pulumi up` repairs it. Leave it unset in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
