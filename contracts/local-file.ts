import type { z } from "zod";
import { Marker } from "./marker";

const localFiles = new Marker();

/**
 * Marks a property that names a file on the computer that runs Pulumi. Another path of the same file is no change of
 * the property: states of version 1 have absolute paths, maybe of another computer.
 */
export function localFile<S extends z.ZodType>(schema: S): S {
  return localFiles.mark(schema);
}

/** Paths of the properties that name files on this computer: `["connection", "privateKeyPath"]`. */
export function localFilePaths(schema: z.core.$ZodType, value: unknown): string[][] {
  return localFiles.pathsIn(schema, value);
}
