/** The part of a key after `/registry/` that is a group of kinds without a dot: `/registry/services/specs/...`. */
const GROUP_WITHOUT_DOT = "services";

/** What a key of etcd stores. The key of an object is `/registry/[GROUP/]KIND/[NAMESPACE/]NAME`. */
export interface StoredObject {
  /** `secrets`, `apps.example.com/widgets`, `services/specs` */
  kind: string;
  /** With the namespace in front, where it has one. */
  name: string;
}

export function parseKey(key: string): StoredObject {
  const [, , first = "", second = "", ...rest] = key.split("/");
  const hasGroup = first.includes(".") || first === GROUP_WITHOUT_DOT;
  return hasGroup
    ? { kind: `${first}/${second}`, name: rest.join("/") }
    : { kind: first, name: [second, ...rest].join("/") };
}

/** Shell command that reads keys and prints `NUMBER KIND` for each kind, by the rule of `parseKey`. */
export const COUNT_KINDS = `awk -F/ '{ kind = $3; if (kind ~ /[.]/ || kind == "${GROUP_WITHOUT_DOT}") kind = kind "/" $4
  count[kind]++ }
  END { for (kind in count) print count[kind], kind }'`;
