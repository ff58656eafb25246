import { isObject } from "../../provider/rpc/values";

/** Key and value that mark a secret in an exported state. Source: sdk/go/common/resource/sig in pulumi/pulumi. */
const SIGNATURE = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"] as const;

/** Returns a value of an exported state with its secrets in plain text. */
export function withoutSecretMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretMarks);
  if (!isObject(value)) return value;
  const [key, mark] = SIGNATURE;
  if (value[key] === mark && typeof value.plaintext === "string")
    return withoutSecretMarks(JSON.parse(value.plaintext));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecretMarks(inner)]));
}
