import { pathText } from "../fields/problems";

/** Properties whose values are secrets, in every section. */
const SECRETS: readonly PropertyKey[] = ["password", "sudoPassword", "token", "secretAccessKey"];

/**
 * Returns a warning for each secret that the configuration has in plain text, with the command that encrypts it.
 * @param sections The sections that Pulumi does not encrypt. Pulumi encrypts a section with a secret as a whole, so
 * other values in it cannot be checked.
 */
export function plainSecrets(sections: Record<string, unknown>): string[] {
  return secretPaths(sections, []).map((path) => {
    const text = pathText(path);
    const command = `pulumi config set --secret --path '${text}'`;
    return `${text} is in plain text in the stack's configuration; encrypt it: ${command}`;
  });
}

function secretPaths(value: unknown, path: readonly PropertyKey[]): PropertyKey[][] {
  if (typeof value !== "object" || value === null) return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? value.map((element: unknown, index) => [index, element])
    : Object.entries(value);
  return entries.flatMap(([key, inner]) =>
    SECRETS.includes(key) && typeof inner === "string" ? [[...path, key]] : secretPaths(inner, [...path, key]),
  );
}
