import { expect, test } from "vitest";
import { parseOptions } from "../../../scripts/lib/options";

test("has defaults", () => {
  expect(parseOptions([])).toEqual({ stack: "dev", config: {}, flags: new Set(), words: [] });
});

test("takes a stack, configuration with = in the value, flags and words", () => {
  const options = parseOptions(["--stack", "two", "--config", "workers.count=3", "-c", "a=b=c", "--force", "x"], ["force"]);
  expect(options).toEqual({ stack: "two", config: { "workers.count": "3", a: "b=c" }, flags: new Set(["force"]), words: ["x"] });
});

test.each([
  [["--stack", "../x"], /"\.\.\/x" is no stack name; use/],
  [["--config", "workers"], /has no "="; write --config key=value/],
  [["--frce"], /--frce.*known are --stack NAME/],
])("refuses %j", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
