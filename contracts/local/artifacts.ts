import { z } from "zod";
import type { ArtifactSet } from "../../common/artifact-set";
import { defineContract } from "../contract";
import { jsonObject } from "../json";
import { runtimeSchema } from "../runtime";

/** Binaries and container images in the user's cache: downloaded and verified, or built. */
export const artifactsContract = defineContract({
  type: "kubewright:local:Artifacts",
  inputs: z.strictObject({
    /**
     * Where the artifacts come from: `official` downloads the releases, `modules` builds from source, the address of a
     * mirror downloads from there, and `auto` chooses `official` if it is reachable, otherwise `modules`.
     */
    source: z
      .string()
      .refine(
        (source) => /^(auto|official|modules|https?:\/\/\S+)$/.test(source),
        "use auto, official, modules or a mirror's http(s) address",
      ),
    /** Kubernetes version: `1.36.3`. */
    kubernetes: z.string(),
    /** CPU architecture of the machines. */
    arch: z.enum(["amd64", "arm64"]),
    /**
     * The container runtime of the nodes.
     * @default "containerd"
     */
    runtime: runtimeSchema.optional(),
    /**
     * Whether the images for the examples and tests are included.
     * @default false
     */
    extras: z.boolean().optional(),
  }),
  outputs: z.object({
    /** The source that was used: `official`, `modules` or the mirror's address. */
    resolvedSource: z.string(),
    /** Binary name to its file in the cache. */
    binaries: jsonObject<ArtifactSet["binaries"]>(),
    /** Image archives in the cache, or the references that the machines pull. */
    images: jsonObject<ArtifactSet["images"]>(),
    /** References of the images that the cluster uses. */
    refs: jsonObject<ArtifactSet["refs"]>(),
  }),
});
