import { expect, test } from "vitest";
import { printable } from "../../../common/printable";
import { HOSTILE_TIMEOUT_MS, holds, hostileText } from "../../support/hostile";
import { fc } from "../../support/fast-check";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;a title\u0007text", "text"],
  ["\u001bPdevice control\u001b\\text", "text"],
  ["\u009b2Jtext", "text"],
  ["one\r\ntwo\rthree", "one\ntwo\nthree"],
  ["<{%fg 1%}>", "< {%fg 1%}>"],
  ["a\tb\nc é 漢 😀", "a\tb\nc é 漢 😀"],
])("%j is shown as %j", (given, shown) => {
  expect(printable(given)).toBe(shown);
});

test("keeps the end of a long text", () => {
  expect(printable(`${"x".repeat(5_000)} the end`, 10)).toBe("...xx the end");
});

test(
  "removes terminal control sequences, and a second pass changes nothing",
  async () => {
    await holds(
      "texts made printable",
      2_000,
      fc.property(hostileText(), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?![\t\n])\p{Cc}|<\{%/u);
        expect(printable(shown)).toBe(shown);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);
