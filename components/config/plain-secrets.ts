import { pathText } from "../fields/problems";

/** Properties that hold a secret, in whatever section they are. */
const SECRETS: readonly PropertyKey[] = ["password", "sudoPassword", "token"];

/**
 * Warnings of secrets that the configuration has in plain text, each with the command that makes it one.
 * @param sections those that Pulumi keeps no secret of; one with a secret in it is a secret as a whole, and nothing is known of the rest
 */
export function plainSecrets(sections: Record<string, unknown>): string[] {
  return secretPaths(sections, []).map((path) => {
    const text = pathText(path);
    return `${text} is in plain text in the stack's configuration; make it a secret: pulumi config set --secret --path '${text}'`;
  });
}

function secretPaths(value: unknown, path: readonly PropertyKey[]): PropertyKey[][] {
  if (typeof value !== "object" || value === null) return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? value.map((one: unknown, index) => [index, one])
    : Object.entries(value);
  return entries.flatMap(([key, inner]) =>
    SECRETS.includes(key) && typeof inner === "string" ? [[...path, key]] : secretPaths(inner, [...path, key]),
  );
}
