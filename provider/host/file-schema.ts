import { posix } from "node:path";
import { z } from "zod";

/** While a file is on its way it lies beside its place under this name. */
export const ARRIVING_SUFFIX = ".kubewright-new";
// NAME_MAX and PATH_MAX of Linux (limits.h), in bytes.
const NAME_BYTES = 255 - ARRIVING_SUFFIX.length;
const PATH_BYTES = 4095 - ARRIVING_SUFFIX.length;

/** A file's place on a machine. What a shell, tar and a list of lines would each read in its own way is refused here, once. */
export const filePathSchema = z.string().superRefine((path, context) => {
  const problem = pathProblem(path);
  if (problem) context.addIssue(problem);
});

export const modeSchema = z.string().regex(/^[0-7]{3,4}$/, "a mode is octal, such as 0644");

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 is 64 hexadecimal digits");

/** Text files by their paths. */
export const textFilesSchema = z.record(filePathSchema, z.strictObject({ content: z.string(), mode: modeSchema }));

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
