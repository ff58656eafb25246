import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { COUNT_KINDS, parseKey } from "../../../../render/backup/etcd-keys";

const OBJECTS = {
  "/registry/secrets/default/web": { kind: "secrets", name: "default/web" },
  "/registry/secrets/default/a.dotted.name": { kind: "secrets", name: "default/a.dotted.name" },
  "/registry/namespaces/default": { kind: "namespaces", name: "default" },
  "/registry/services/specs/default/web": { kind: "services/specs", name: "default/web" },
  "/registry/services/endpoints/default/web": { kind: "services/endpoints", name: "default/web" },
  "/registry/apps.example.com/widgets/default/one": { kind: "apps.example.com/widgets", name: "default/one" },
  "/registry/apps.example.com/things/one": { kind: "apps.example.com/things", name: "one" },
};

test("a key has a kind, with its group, and a name", () => {
  for (const [key, object] of Object.entries(OBJECTS)) expect(parseKey(key)).toEqual(object);
});

test("the command counts the same kinds", () => {
  const keys = Object.keys(OBJECTS);
  const counts = new Map<string, number>();
  for (const { kind } of keys.map(parseKey)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const printed = execFileSync("sh", ["-c", COUNT_KINDS], { input: `${keys.join("\n")}\n`, encoding: "utf8" });
  expect(printed.trim().split("\n").sort()).toEqual([...counts].map(([kind, count]) => `${count} ${kind}`).sort());
});
