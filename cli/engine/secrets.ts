import { isObject } from "../../provider/rpc/values";

/** Key and value that mark a secret in an exported state. Source: sdk/go/common/resource/sig in pulumi/pulumi. */
const SIGNATURE = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"] as const;

/** Returns a value of an exported state with its secrets in plain text. */
export function withoutSecretMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretMarks);
  if (!isObject(value)) return value;
  if (isMarked(value)) return withoutSecretMarks(JSON.parse(value.plaintext));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecretMarks(inner)]));
}

/** Returns the secrets of an exported state in plain text. */
export function markedSecrets(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(markedSecrets);
  if (!isObject(value)) return [];
  return isMarked(value) ? [withoutSecretMarks(value)] : Object.values(value).flatMap(markedSecrets);
}

/** Returns a value of an exported state with another value in place of each secret. */
export function replaceMarkedSecrets(value: unknown, replacement: string): unknown {
  if (Array.isArray(value)) return value.map((one) => replaceMarkedSecrets(one, replacement));
  if (!isObject(value)) return value;
  if (value[SIGNATURE[0]] !== undefined) return replacement;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, replaceMarkedSecrets(one, replacement)]));
}

function isMarked(value: Record<string, unknown>): value is { plaintext: string } & Record<string, unknown> {
  const [key, mark] = SIGNATURE;
  return value[key] === mark && typeof value.plaintext === "string";
}
