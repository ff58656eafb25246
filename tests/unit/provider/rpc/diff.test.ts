import { expect, test, vi } from "vitest";
import { z } from "zod";
import { connectionSchema } from "../../../../contracts/connection";
import { changesBetween, isWithin } from "../../../../provider/rpc/diff";
import { UNKNOWN } from "../../../../provider/rpc/values";

test("names exactly the paths that changed", () => {
  const old = { files: { "/a": { content: "1" }, "/b": { content: "2" } }, list: [1, 2] };
  const now = { files: { "/a": { content: "1" }, "/c": { content: "3" } }, list: [1] };
  expect(changesBetween(old, now)).toEqual([
    { path: 'files["/b"]', kind: "delete" },
    { path: 'files["/c"]', kind: "add" },
    { path: "list[1]", kind: "delete" },
  ]);
});

test("null is a value, undefined is none", () => {
  expect(changesBetween({ a: undefined }, {})).toEqual([]);
  expect(changesBetween({ a: null }, { b: null })).toEqual([
    { path: "a", kind: "delete" },
    { path: "b", kind: "add" },
  ]);
});

test("an unknown value counts as changed", () => {
  expect(changesBetween({ a: UNKNOWN }, { a: UNKNOWN })).toEqual([{ path: "a", kind: "update" }]);
});

test("two paths of the same key file are no change, as in states of version 1", () => {
  vi.stubEnv("KUBEWRIGHT_PROJECT", "/srv/lab");
  const schema = z.strictObject({ machines: z.array(connectionSchema) });
  const login = (privateKeyPath: unknown) => ({ machines: [{ privateKeyPath }] });
  const change = [{ path: "machines[0].privateKeyPath", kind: "update" }];
  const changes = (old: unknown, now: unknown) => changesBetween(login(old), login(now), schema);
  expect(changes("/home/a/lab/.kubewright/dev/id", ".kubewright/dev/id")).toEqual([]);
  expect(changes("/home/a/lab/.kubewright/dev/id", "/keys/id")).toEqual(change);
  expect(changes("/keys/id", UNKNOWN)).toEqual(change);
  // The contract decides, not the name of the property.
  expect(changesBetween(login("/srv/lab/id"), login("id"))).toEqual(change);
  vi.unstubAllEnvs();
});

test("a rule covers its property and those inside of it, not properties whose names begin alike", () => {
  expect(isWithin("connection.host", "connection")).toBe(true);
  expect(isWithin('files["/a"].mode', "files")).toBe(true);
  expect(isWithin("connections", "connection")).toBe(false);
});
