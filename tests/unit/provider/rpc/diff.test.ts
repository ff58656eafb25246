import { expect, test, vi } from "vitest";
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
  const login = (privateKeyPath: unknown) => ({ machines: [{ privateKeyPath }] });
  const change = [{ path: "machines[0].privateKeyPath", kind: "update" }];
  expect(changesBetween(login("/home/a/lab/.kubewright/dev/id"), login(".kubewright/dev/id"))).toEqual([]);
  expect(changesBetween(login("/home/a/lab/.kubewright/dev/id"), login("/keys/id"))).toEqual(change);
  expect(changesBetween(login("/keys/id"), login(UNKNOWN))).toEqual(change);
  vi.unstubAllEnvs();
});

test("a rule covers its property and those inside of it, not properties whose names begin alike", () => {
  expect(isWithin("connection.host", "connection")).toBe(true);
  expect(isWithin('files["/a"].mode', "files")).toBe(true);
  expect(isWithin("connections", "connection")).toBe(false);
});
