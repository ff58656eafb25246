import type { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Struct as StructMessage } from "google-protobuf/google/protobuf/struct_pb";

/** A value that is not known at preview. */
export const UNKNOWN = Symbol("unknown");

// The engine's sentinels and signature keys: sdk/go/common/resource/plugin/rpc.go and resource/properties.go in
// pulumi/pulumi.
/** An unknown value on the wire and in the engine's events. */
export const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWN_STRINGS = new Set([
  UNKNOWN_STRING,
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

export type Properties = Record<string, unknown>;
export type Path = readonly string[];

/** Paths of values that are secrets on the wire. */
export class SecretPaths {
  private readonly keys = new Set<string>();
  constructor(paths: Iterable<Path> = []) {
    for (const path of paths) this.add(path);
  }
  add(path: Path): void {
    this.keys.add(JSON.stringify(path));
  }
  has(path: Path): boolean {
    return this.keys.size > 0 && this.keys.has(JSON.stringify(path));
  }
  /** Returns these paths and the top-level properties with the names. */
  with(names: readonly string[]): SecretPaths {
    return this.including(names.map((name) => [name]));
  }
  /** Returns these paths and others. */
  including(paths: Iterable<Path>): SecretPaths {
    const all = new SecretPaths(paths);
    for (const key of this.keys) all.keys.add(key);
    return all;
  }
}

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapEntries(value: Properties, path: Path, walk: (value: unknown, path: Path) => unknown): Properties {
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, walk(inner, [...path, key])]));
}

/** Decodes values from the wire: secrets are unwrapped and their paths recorded, unknown values become UNKNOWN. */
export function decode(struct: Struct | undefined, secrets = new SecretPaths()): Properties {
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === "string") return UNKNOWN_STRINGS.has(value) ? UNKNOWN : value;
    if (Array.isArray(value)) return value.map((inner, index) => walk(inner, [...path, String(index)]));
    if (!isObject(value)) return value;
    if (value[SIGNATURE] === SECRET) {
      secrets.add(path);
      return walk(value.value, path);
    }
    if (value[SIGNATURE] === OUTPUT) {
      if (value.secret === true) secrets.add(path);
      return "value" in value ? walk(value.value, path) : UNKNOWN;
    }
    return mapEntries(value, path, walk);
  };
  return walk(struct ? struct.toJavaScript() : {}, []) as Properties;
}

/** Encodes values for the wire: `secrets` are wrapped, UNKNOWN becomes the engine's sentinel. */
export function encode(properties: object, secrets = new SecretPaths()): Struct {
  const wire = substitute(properties, secrets, (value) => ({ [SIGNATURE]: SECRET, value }));
  return StructMessage.fromJavaScript(wire as Record<string, JavaScriptValue>);
}

/** A secret in the engine's events (resource/properties.go in pulumi/pulumi). */
export const SECRET_WORD = "[secret]";

/** Replaces secrets and unknown values by placeholders, as the engine's events do. */
export function legible(properties: Properties, secrets: SecretPaths): Properties {
  return substitute(properties, secrets, () => SECRET_WORD);
}

/**
 * Replaces UNKNOWN by its string, and each secret by what `secret` returns for it. A secret inside of another one is
 * part of that one.
 */
function substitute(properties: object, secrets: SecretPaths, secret: (plain: unknown) => unknown): Properties {
  const walk = (value: unknown, path: Path, isInSecret: boolean): unknown => {
    const isSecret = !isInSecret && secrets.has(path);
    const walkInner = (inner: unknown, innerPath: Path) => walk(inner, innerPath, isInSecret || isSecret);
    const plain = walkChildren(value, path, walkInner);
    return isSecret ? secret(plain) : plain;
  };
  return walk(properties, [], false) as Properties;
}

function walkChildren(value: unknown, path: Path, walk: (value: unknown, path: Path) => unknown): unknown {
  if (value === UNKNOWN) return UNKNOWN_STRING;
  if (Array.isArray(value)) return value.map((inner, index) => walk(inner, [...path, String(index)]));
  return isObject(value) ? mapEntries(value, path, walk) : value;
}

export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Returns the properties without those that contain an unknown value. */
export function withoutUnknown(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => !hasUnknown(value)));
}

/** Formats a path as Pulumi does: `files["/etc/x"].mode`. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      if (/^[A-Za-z_$][\w$]*$/.test(part)) return index === 0 ? part : `.${part}`;
      return `["${part.replaceAll('"', '\\"')}"]`;
    })
    .join("");
}
