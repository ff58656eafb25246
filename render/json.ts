import { createHash } from "node:crypto";
import { Document, visit } from "yaml";

/** What YAML, JSON and the Kubernetes API can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * YAML without folded lines and aliases, so that a diff shows the line that changed. Kubernetes reads by the rules of YAML 1.1, where a bare
 * `on`, `0x10` or `1_000` is no text: what either version would take for something else is quoted, and what neither may hold is escaped.
 */
export function yamlText(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === "string" && (scalar.value.search(UNPRINTABLE) >= 0 || BLANK.test(scalar.value)))
        scalar.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0 });
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Beyond c-printable, and line breaks of version 1.1 alone: https://yaml.org/spec/1.2.2/#51-character-set */
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** As a block it would lose the blanks of its first line (yaml 2.9.1). */
const BLANK = /^\s+$/;

/** The same object without the properties that are undefined, so that `in` and deep equality say what YAML will say. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

/** A short word that is another when the data are: on a pod's template, so that other data make other pods. */
export function configHash(data: object): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 16);
}
