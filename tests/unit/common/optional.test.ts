import { describe, expect, expectTypeOf, it } from "vitest";
import { optional } from "../../../common/optional";

const unset = undefined as string | undefined;

describe("optional", () => {
  it("drops undefined properties", () => {
    expect(Object.keys(optional({ user: unset, port: 22 }))).toEqual(["port"]);
  });

  it("keeps null, false, zero and the empty string", () => {
    expect(optional({ a: null, b: false, c: 0, d: "" })).toEqual({ a: null, b: false, c: 0, d: "" });
  });

  it("types properties that may be undefined as optional, and others as required", () => {
    expectTypeOf(optional({ user: unset, port: 22 })).toExtend<{ user?: string; port: number }>();
  });
});
