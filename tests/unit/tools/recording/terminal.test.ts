import { describe, expect, test } from "vitest";
import { Terminal } from "../../../../tools/recording/terminal";

const linesOf = (text: string, columns = 10, rows = 3) => {
  const terminal = new Terminal(columns, rows);
  terminal.write(text);
  return terminal.lines;
};

describe("a terminal shows", () => {
  test.each([
    ["lines", "one\r\ntwo\n", ["one", "two"]],
    ["a line that is longer than it is wide on the next row too", "abcdefghijkl", ["abcdefghij", "kl"]],
    ["text without colors, modes and bells", "\x1b[?2026h\x1b[1;31mred\x1b[0m\x07\x1b(B\x1b[?25l", ["red"]],
    ["text without the title of its window", "\x1b]0;title\x07a\x1b]2;title\x1b\\b", ["ab"]],
    ["what is written over other text", "abc\rX\x1b[1CY\b\bZ", ["XZY"]],
    ["what is written at a column", "abc\x1b[2GX\x1b[2DY", ["YXc"]],
    ["what is written above", "one\ntwo\n\x1b[2A1", ["1ne", "two"]],
    ["what is written below", "one\ntwo\x1b[1A\x1b[9B!", ["one", "two!"]],
    ["nothing of an erased line", "one\ntwo\x1b[2K", ["one"]],
    ["the beginning of a line whose end is erased", "abc\x1b[2G\x1b[K", ["a"]],
    ["the end of a line whose beginning is erased", "abc\x1b[2G\x1b[1K", [" bc"]],
    ["nothing of an erased screen", "a\nb\x1b[2J\x1b[Hc", ["c"]],
    ["the lines above those that are erased", "a\nb\nc\x1b[1A\x1b[J", ["a", "b"]],
    ["what is written at a position", "a\nb\nc\x1b[2;3HX", ["a", "b X", "c"]],
  ])("%s", (_, text, lines) => expect(linesOf(text)).toEqual(lines));

  test("text without a control sequence that two writes divide", () => {
    const sequence = "\x1b[1;31m\x1b[?25l\x1b]0;title\x07\x1b(B";
    for (let at = 0; at <= sequence.length; at += 1) {
      const terminal = new Terminal(10, 2);
      terminal.write(`a${sequence.slice(0, at)}`);
      terminal.write(`${sequence.slice(at)}b`);
      expect(terminal.lines).toEqual(["ab"]);
    }
  });

  test("the newest lines, and keeps those that have left it", () => {
    const terminal = new Terminal(10, 2);
    terminal.write("1\n2\n3");
    expect(terminal.visible).toEqual(["2", "3"]);
    expect(terminal.lines).toEqual(["1", "2", "3"]);
    terminal.write("\x1b[9A!");
    expect(terminal.visible).toEqual(["2!", "3"]);
  });
});
