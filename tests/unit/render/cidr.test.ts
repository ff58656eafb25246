import { describe, expect, test } from "vitest";
import { includes, isOverlapping, networkOf, parseCidr } from "../../../render/cidr";

function range(text: string): NonNullable<ReturnType<typeof parseCidr>> {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`${text} is not a CIDR range`);
  return parsed;
}

describe("ranges", () => {
  test.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "10.0.0.256/8", "010.0.0.0/8x", "fd00::/8", "10.0.0.0/-1"])(
    "%j is not a CIDR range",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  test("computes the bounds, also above 2^31", () => {
    expect(range("192.168.1.0/24")).toEqual({ first: 3232235776, last: 3232236031, prefix: 24 });
    expect(range("0.0.0.0/0")).toEqual({ first: 0, last: 4294967295, prefix: 0 });
  });

  test("finds the network of an address", () => {
    expect(networkOf("10.1.2.3/16")).toBe("10.1.0.0/16");
  });

  test.each([
    ["10.0.0.0/8", "10.200.0.0/16", true],
    ["10.0.0.0/16", "10.1.0.0/16", false],
    ["10.1.0.0/16", "10.0.0.0/15", true],
  ])("%s and %s overlap: %s", (one, other, expected) => {
    expect(isOverlapping(range(one), range(other))).toBe(expected);
    expect(isOverlapping(range(other), range(one))).toBe(expected);
  });

  test.each([
    ["10.0.0.0", true],
    ["10.0.255.255", true],
    ["10.1.0.0", false],
    ["example.com", false],
    ["::1", false],
  ])("10.0.0.0/16 has %s: %s", (address, expected) => {
    expect(includes(range("10.0.0.0/16"), address)).toBe(expected);
  });
});
