import { stringify } from "yaml";

/** What YAML, JSON and the Kubernetes API can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** YAML without folded lines and aliases, so that a diff shows the line that changed. */
export function yamlText(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** The same object without the properties that are undefined, so that `in` and deep equality say what YAML will say. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
