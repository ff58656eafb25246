import { posix } from "node:path";
import { z } from "zod";

/** Suffix of a file on a machine while its content arrives, before it is moved into place. */
export const ARRIVING_SUFFIX = ".kubewright-new";
/** Suffix of an executable on a machine that waits to replace the current one. */
export const STAGED_SUFFIX = ".next";
// NAME_MAX and PATH_MAX of Linux (limits.h), in bytes.
const NAME_BYTES = 255 - ARRIVING_SUFFIX.length;
const PATH_BYTES = 4095 - ARRIVING_SUFFIX.length;

/**
 * Absolute, normalized path on a machine. Rejects whatever a shell, tar and a line-based list would read differently.
 */
export const filePathSchema = z.string().superRefine((path, context) => {
  const problem = pathProblem(path);
  if (problem) context.addIssue(problem);
});

/** File mode, octal. */
export const modeSchema = z.string().regex(/^[0-7]{3,4}$/, "a mode is octal, such as 0644");

/** SHA-256, lower-case hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 is 64 hexadecimal digits");

/** A text file on a machine, owned by root. */
export const textFileSchema = z.strictObject({
  /** The file's content. */
  content: z.string(),
  /** The file's mode, octal: `0644`. */
  mode: modeSchema,
});

/** Text files by their absolute paths on the machine. */
export const textFilesSchema = z.record(filePathSchema, textFileSchema);

export type TextFile = z.infer<typeof textFileSchema>;
export type TextFiles = z.infer<typeof textFilesSchema>;

function pathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "a path is absolute";
  if (posix.normalize(path) !== path || path.endsWith("/"))
    return "a path has no empty, . or .. part, and does not end in /";
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(path)) return "a path has no control characters";
  const longest = Math.max(...path.split("/").map((part) => Buffer.byteLength(part)));
  if (longest > NAME_BYTES || Buffer.byteLength(path) > PATH_BYTES)
    return `a path has at most ${PATH_BYTES} bytes, each of its parts at most ${NAME_BYTES}`;
  return undefined;
}
