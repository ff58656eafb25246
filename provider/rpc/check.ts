import { CheckFailure } from "@pulumi/pulumi/proto/provider_pb";
import type { z } from "zod";
import type { ProviderContext } from "../context";
import type { Handler, Problem } from "./handler";
import { UNKNOWN, formatPath, hasUnknown, isObject, known, type Path, type Properties } from "./values";

/** Everything that is wrong with the inputs as far as they are known. Messages never hold a value: it may be a secret. */
export async function problemsOf(
  handler: Pick<Handler, "schema" | "check">,
  inputs: Properties,
  provider: ProviderContext,
): Promise<Problem[]> {
  const parsed = handler.schema.safeParse(inputs);
  const shape = parsed.success
    ? []
    : parsed.error.issues.filter((issue) => !concernsUnknown(inputs, issue.path.map(String)));
  const problems = shape.map((issue) => ({ path: formatPath(issue.path.map(String)), reason: reasonOf(issue) }));
  if (problems.length > 0) return problems;
  return (await handler.check?.(known(inputs), provider)) ?? [];
}

/** As the engine wants them. With a property set it prints its value, a secret in plain text included: the path goes into the reason. */
export function failuresOf(problems: readonly Problem[]): CheckFailure[] {
  return problems.map(({ path, reason }) => {
    const failure = new CheckFailure();
    failure.setReason(path ? `${path}: ${reason}` : reason);
    return failure;
  });
}

function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === "unrecognized_keys" ? `unknown properties: ${issue.keys.join(", ")}` : issue.message;
}

/** An issue counts only where the value is known: at the path, above it, and (for a rule over several values) below it. */
function concernsUnknown(inputs: Properties, path: Path): boolean {
  let value: unknown = inputs;
  for (const part of path) {
    if (value === UNKNOWN) return true;
    value = isObject(value) || Array.isArray(value) ? (value as Properties)[part] : undefined;
  }
  return hasUnknown(value);
}
