import { z } from "zod";

/** The program etcdutl on the computer that runs Pulumi. */
export const etcdutlSchema = z.strictObject({
  /** Path of the file. */
  path: z.string(),
  /** SHA-256, hex. */
  sha256: z.string(),
  /** Bytes. */
  size: z.number(),
});
