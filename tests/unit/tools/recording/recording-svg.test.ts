import { expect, test } from "vitest";
import { recordingSvg } from "../../../../tools/recording/recording-svg";

const OPTIONS = { title: "npm start", description: "a <run>", speed: 1, limit: 100_000 };
const cast = (seconds: number) => ({
  columns: 80,
  rows: 24,
  output: [
    { time: 0, text: "$ npm start\n" },
    ...Array.from({ length: seconds * 10 }, (_, index) => ({ time: index / 10, text: `\r  <${index / 10}> s` })),
  ],
});

test("shows each text of a row in its time, again and again", () => {
  const svg = recordingSvg({ ...cast(0), output: [...cast(0).output, { time: 5, text: "done" }] }, OPTIONS) ?? "";
  expect(svg).toContain(">$ npm start</text>");
  expect(svg).toContain("@keyframes k1{0%{transform:translateY(0px)}50%{transform:translateY(-18px)}}");
  expect(svg).toContain("#r1{animation-name:k1;transform:translateY(-18px)}");
  expect(svg).toContain(".row g{animation:10s step-end infinite}");
  expect(svg).not.toContain("@keyframes k0");
});

test("is faster than the recording if that is wanted", () => {
  const svg = recordingSvg(
    { ...cast(0), output: [...cast(0).output, { time: 20, text: "done" }] },
    { ...OPTIONS, speed: 4 },
  );
  expect(svg).toContain("50%{transform:translateY(-18px)}");
  expect(svg).toContain(".row g{animation:10s step-end infinite}");
});

test("needs no script, has a name, follows the colors of the reader, and can stand still", () => {
  const svg = recordingSvg(cast(2), OPTIONS) ?? "";
  expect(svg).not.toMatch(/<script|href|https?:(?!\/\/www\.w3\.org)/);
  expect(svg).toContain(">npm start</title>");
  expect(svg).toContain(">a &lt;run&gt;</desc>");
  expect(svg).toContain("@media (prefers-color-scheme:dark)");
  expect(svg).toContain("@media (prefers-reduced-motion:reduce){.row g{animation:none!important}}");
  expect(svg).toContain(">  &lt;1.9&gt; s</text>");
  expect(svg).toContain(".row text{white-space:pre}");
});

test("shows fewer pictures where a file would be too large, and none where that is not enough", () => {
  const pictures = (limit: number) => recordingSvg(cast(60), { ...OPTIONS, limit })?.match(/<text/g)?.length;
  expect(pictures(100_000)).toBe(301);
  expect(pictures(20_000)).toBe(121);
  expect(pictures(2_000)).toBeUndefined();
});
