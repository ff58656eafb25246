import { expect, test } from "vitest";
import { changesBetween, isWithin } from "../../../../provider/rpc/diff";
import { UNKNOWN } from "../../../../provider/rpc/values";

test("names the paths that changed, and only those", () => {
  const old = { files: { "/a": { content: "1" }, "/b": { content: "2" } }, list: [1, 2] };
  const now = { files: { "/a": { content: "1" }, "/c": { content: "3" } }, list: [1] };
  expect(changesBetween(old, now)).toEqual([
    { path: 'files["/b"]', kind: "delete" },
    { path: 'files["/c"]', kind: "add" },
    { path: "list[1]", kind: "delete" },
  ]);
});

test("an absent property, undefined and null are one", () => {
  expect(changesBetween({ a: null }, { a: undefined, b: null })).toEqual([]);
});

test("what is unknown counts as changed", () => {
  expect(changesBetween({ a: UNKNOWN }, { a: UNKNOWN })).toEqual([{ path: "a", kind: "update" }]);
});

test("a rule covers its property and what is inside, not its namesakes", () => {
  expect(isWithin("connection.host", "connection")).toBe(true);
  expect(isWithin('files["/a"].mode', "files")).toBe(true);
  expect(isWithin("connections", "connection")).toBe(false);
});
