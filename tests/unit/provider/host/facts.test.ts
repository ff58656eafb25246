import { expect, test } from "vitest";
import { parseFacts } from "../../../../provider/host/facts";

const facts = (lines: Record<string, string>, now = 0) =>
  parseFacts(new Map(Object.entries({ arch: "x86_64", ...lines })), now, "worker-1");

test.each([
  ["1002500", 2.5],
  ["997500", -2.5],
])("a clock at %s ms, read at 1000000 ms, is %d s ahead", (clock, skew) => {
  expect(facts({ clock_ms: clock }, 1_000_000).clockSkewSeconds).toBe(skew);
});

test("an unsupported architecture is reported with the machine", () => {
  expect(() => facts({ arch: "riscv64" })).toThrow(/worker-1: architecture riscv64 is not supported; .*amd64 or arm64/);
});

test("control characters and overlong values of a machine do not reach the state", () => {
  const { hostname } = facts({ hostname: `\x1b[31mred${"x".repeat(10_000)}` });
  expect(hostname).not.toContain("\x1b");
  expect(hostname.length).toBeLessThanOrEqual(4_000);
});

test("listening ports are numbers, sorted and unique", () => {
  expect(facts({ ports: "6443 22 22 x 99999" }).listeningPorts).toEqual([22, 6443]);
});
