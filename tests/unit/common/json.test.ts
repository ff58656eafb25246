import { expect, test } from "vitest";
import { parseJson, sortKeys } from "../../../common/json";

test("text that is not JSON is undefined", () => {
  expect([parseJson('{"a":1}'), parseJson("a"), parseJson("")]).toEqual([{ a: 1 }, undefined, undefined]);
});

test("equal values have the same JSON, whatever the order of their keys is", () => {
  const value = { b: [{ d: 1, c: null }], a: "x" };
  expect(JSON.stringify(sortKeys(value))).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
});
