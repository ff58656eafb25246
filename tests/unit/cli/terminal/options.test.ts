import { expect, test } from "vitest";
import { parseOptions } from "../../../../cli/terminal/options";

test("has defaults", () => {
  expect(parseOptions([])).toEqual({ stack: "dev", config: {}, flags: new Set(), values: {}, words: [] });
});

test("takes a stack, configuration with = in the value, flags and words", () => {
  const options = parseOptions(
    ["--stack", "two", "--config", "workers.count=3", "-c", "a=b=c", "--force", "--timeout", "9", "x"],
    ["force"],
    ["timeout"],
  );
  expect(options).toEqual({
    stack: "two",
    config: { "workers.count": "3", a: "b=c" },
    flags: new Set(["force"]),
    values: { timeout: "9" },
    words: ["x"],
  });
});

test.each([
  [["--stack", "../x"], /"\.\.\/x" is no stack name; use/],
  [["--config", "workers"], /has no "="; write --config key=value/],
  [["--frce"], /--frce.*known are --stack NAME/],
])("refuses %j", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
