import { CheckFailure } from "@pulumi/pulumi/proto/provider_pb";
import type { z } from "zod";
import type { ProviderContext } from "../context/context";
import type { Handler, Problem } from "./handler";
import { UNKNOWN, formatPath, hasUnknown, isObject, withoutUnknown, type Path, type Properties } from "./values";

/** Finds all problems of the known inputs. Messages never contain a value, because it may be a secret. */
export async function findProblems(
  handler: Pick<Handler, "contract" | "check">,
  inputs: Properties,
  provider: ProviderContext,
  old?: Properties,
): Promise<Problem[]> {
  const parsed = handler.contract.inputs.safeParse(inputs);
  const issues = parsed.success ? [] : parsed.error.issues;
  const problems = issues
    .filter((issue) => !concernsUnknown(inputs, issue.path.map(String)))
    .map((issue) => ({ path: formatPath(issue.path.map(String)), reason: reasonOf(issue) }));
  if (problems.length > 0) return problems;
  return (await handler.check?.(withoutUnknown(inputs), provider, old && withoutUnknown(old))) ?? [];
}

/**
 * Encodes problems for the engine. The path is part of the reason: with a property set, the engine would print the
 * property's value, and a secret in plain text.
 */
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

/** Whether an issue is about an unknown value: at the path, above it, or (for a rule over several values) below it. */
function concernsUnknown(inputs: Properties, path: Path): boolean {
  let value: unknown = inputs;
  for (const part of path) {
    if (value === UNKNOWN) return true;
    value = isObject(value) || Array.isArray(value) ? (value as Properties)[part] : undefined;
  }
  return hasUnknown(value);
}
