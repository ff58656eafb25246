import { z } from "zod";
import type { Properties } from "./values";

const schema = z.object({ timeouts: z.preprocess(fromJson, z.object({ patience: z.coerce.number().positive() })) });

/**
 * `timeouts.patience` of the stack's configuration: what is in the package's own namespace (`kubewright:timeouts`) reaches the provider by itself.
 * What is wrong there is the program's to refuse.
 */
export function patienceIn(configuration: Properties): number {
  return schema.safeParse(configuration).data?.timeouts.patience ?? 1;
}

/** The engine hands over what is no text as JSON, and numbers in it as text where `pulumi config set` wrote them so. */
function fromJson(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : value;
  } catch {
    return undefined;
  }
}
