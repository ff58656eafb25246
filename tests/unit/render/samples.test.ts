import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { golden, isUpdating } from "./samples";

test("a missing golden file fails instead of being written", ({ skip }) => {
  skip(isUpdating(), "vitest writes missing files with -u");
  expect(() => golden("no-such-file.txt")).toThrow(/no-such-file\.txt is missing; run vitest with -u/);
});

test("an existing golden file is resolved", () => {
  expect(existsSync(golden("preflight.txt"))).toBe(true);
});
