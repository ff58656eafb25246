import { createHash } from "node:crypto";
import { Document, visit } from "yaml";

/** A value that YAML, JSON and the Kubernetes API can represent. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * Renders YAML without folded lines and aliases, so that diffs show the lines that changed. Kubernetes parses YAML 1.1,
 * in which a plain `on`, `0x10` or `1_000` is not a string. Strings that either version would parse as another type are
 * quoted, and characters that neither allows are escaped.
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

/**
 * Characters outside of c-printable, and line breaks of YAML 1.1. Source: https://yaml.org/spec/1.2.2/#51-character-set
 */
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Text of white space, whose first line would lose its blanks in a block scalar (yaml 2.9.1). */
const BLANK = /^\s+$/;

/** Annotation of pod templates: the hash of what the pods read only when they start. */
export const CONFIG_ANNOTATION = "kubewright.dev/config";

/** Returns a short hash of data. As an annotation of a pod template, it replaces the pods when the data change. */
export function configHash(data: object): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 16);
}
