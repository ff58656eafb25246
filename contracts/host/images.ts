import { z } from "zod";
import { defineContract } from "../contract";
import { sha256Schema } from "../files";
import { onMachine } from "../on-machine";
import { runtimeSchema } from "../runtime";

/**
 * https://pkg.go.dev/github.com/distribution/reference, without whatever could be read as an option or as several
 * words.
 */
const imageReferenceSchema = z.string().regex(/^[\w.][\w.:/@-]*$/, "not an image's reference");

/** An archive of container images. */
const imageArchiveSchema = z.strictObject({
  /** SHA-256 of the archive. */
  sha256: sha256Schema,
  /** References of the images that the machine has once the archive is loaded. */
  refs: z.array(imageReferenceSchema),
});

/** Container images on a machine, loaded from archives or pulled from registries. */
export const imagesContract = defineContract({
  type: "kubewright:host:Images",
  inputs: z.strictObject({
    ...onMachine,
    /** Archives to load, by name. */
    archives: z.record(z.string(), imageArchiveSchema),
    /** SHA-256 to the path of the archive on the computer that runs Pulumi. */
    sources: z.record(z.string(), z.string()),
    /**
     * References of images that the machine pulls itself, through the registry mirrors of its runtime's configuration.
     */
    pull: z.array(imageReferenceSchema),
    /**
     * The container runtime that stores the images. A change replaces the resource.
     * @default "containerd"
     */
    runtime: runtimeSchema.optional(),
  }),
  outputs: z.object({}),
});
