import { finished } from "node:stream/promises";
import { expect, test } from "vitest";
import { lineWriter } from "../../../../cli/terminal/line-writer";

test("writes complete lines, which cannot control the terminal, and the rest at the end", async () => {
  const lines: string[] = [];
  const stream = lineWriter((line) => lines.push(line));
  const text = Buffer.from("one\nthé \x1b[31mred\nrest");
  stream.write(text.subarray(0, 7)); // in the middle of a character
  expect(lines).toEqual(["one\n"]);
  stream.end(text.subarray(7));
  await finished(stream);
  expect(lines).toEqual(["one\n", "thé red\n", "rest\n"]);
});
