import { expect, test } from "vitest";
import { parseCast } from "../../../../tools/recording/cast";

const HEADER = '{"version": 2, "width": 80, "height": 24, "env": {"TERM": "xterm"}}';

test("reads the size and what was written, without what was typed", () => {
  expect(parseCast(`${HEADER}\n[0.1, "o", "a\\r\\n"]\n[0.2, "i", "y"]\n[1, "o", "b"]\n`)).toEqual({
    columns: 80,
    rows: 24,
    output: [
      { time: 0.1, text: "a\r\n" },
      { time: 1, text: "b" },
    ],
  });
});

test.each([
  ["", /its first line is not a header/],
  ['{"version": 3, "term": {"cols": 80, "rows": 24}}', /its first line is not a header.*--output-format asciicast-v2/],
  [`${HEADER}\n[0.1, "o", "a"]\n[0.1, "o"]`, /line 3 is not an event/],
])("refuses another format: %s", (text, message) => expect(() => parseCast(text)).toThrow(message));
