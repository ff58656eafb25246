import { element, raw, type Markup } from "../../cli/report/markup";
import { standaloneSvg } from "../../cli/report/picture";
import type { Cast } from "./cast";
import { rowsOf, type RowText } from "./rows";

export interface RecordingOptions {
  /** Name and description for screen readers. */
  title: string;
  description: string;
  /** How many times faster than the recording. */
  speed: number;
  /** Most bytes of the file. */
  limit: number;
}

const FONT_SIZE = 13;
const FONTS = `ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace`;
/** Width of a character of the usual monospaced fonts, as a part of the font's size. */
const CHARACTER = 0.61;
const LINE = 18;
const PADDING = 16;
/** Seconds that the last picture stays before the recording starts again. */
const LAST_S = 5;
/** Seconds between two pictures of a row, from the smoothest to the smallest. */
const INTERVALS_S = [0.2, 0.5, 1, 2, 3, 5, 10];

/**
 * Draws a recording as an animated SVG, which needs no script. The colors follow the light or dark setting of the
 * reader. A reader that prefers no motion sees the last picture.
 * @returns the smoothest drawing within the limit, or undefined if none is small enough
 */
export function recordingSvg(cast: Cast, options: RecordingOptions): string | undefined {
  for (const interval of INTERVALS_S) {
    const svg = draw(cast, rowsOf(cast, interval * options.speed), options);
    if (Buffer.byteLength(svg) <= options.limit) return svg;
  }
  return undefined;
}

function draw(cast: Cast, rows: readonly (readonly RowText[])[], options: RecordingOptions): string {
  const { title, description, speed } = options;
  const width = Math.ceil(cast.columns * FONT_SIZE * CHARACTER) + 2 * PADDING;
  const duration = (cast.output.at(-1)?.time ?? 0) / speed + LAST_S;
  const animations = rows.map((row, index) => animation(row, index, duration * speed)).join("");
  return standaloneSvg({
    width,
    height: rows.length * LINE + 2 * PADDING,
    title,
    description,
    content: [
      element("style", {}, raw(`${baseStyle(duration)}${animations}`)),
      ...rows.map((row, index) => strip(row, index, width)),
    ],
  });
}

function baseStyle(duration: number): string {
  return (
    `.row{font:${FONT_SIZE}px ${FONTS}}.row text{white-space:pre}` + // browsers reset it for texts
    `.row g{animation:${number(duration)}s step-end infinite}` +
    "@media (prefers-reduced-motion:reduce){.row g{animation:none!important}}"
  );
}

/** Moves the strip of a row to each of its texts in turn. Without the animation, it shows the last one. */
function animation(row: readonly RowText[], index: number, total: number): string {
  if (row.length < 2) return "";
  const steps = row.map(({ time }, at) => `${number((100 * time) / total)}%{${moved(at)}}`).join("");
  return `#r${index}{animation-name:k${index};${moved(row.length - 1)}}@keyframes k${index}{${steps}}`;
}

function moved(at: number): string {
  return `transform:translateY(${-at * LINE}px)`;
}

/** All texts of a row below one another. The element around them shows the height of one. */
function strip(row: readonly RowText[], index: number, width: number): Markup {
  const texts = row.map(({ text }, at) =>
    text === "" ? undefined : element("text", { x: PADDING, y: at * LINE + FONT_SIZE }, text),
  );
  return element(
    "svg",
    { class: "row", y: PADDING + index * LINE, width, height: LINE, overflow: "hidden", "xml:space": "preserve" },
    element("g", { id: `r${index}` }, texts),
  );
}

function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}
