import { expect, test } from "vitest";
import { PALETTE, paletteStyle, type Color } from "../../../../cli/report/palette";

/** Text of the first color is written on the second one. */
const TEXTS: readonly (readonly [text: Color, background: Color])[] = [
  ...(["page", "surface", "inset"] as const).flatMap((background) =>
    (["text", "muted", "accent", "danger"] as const).map((text) => [text, background] as const),
  ),
  ["on-bar", "bar"],
  ["on-accent", "accent"],
  ["on-danger", "danger"],
];

/** Contrast ratio of two colors: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [one, other].map(luminance).sort((first, second) => second - first);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((index) => {
    const part = parseInt(color.slice(index, index + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test.each(Object.entries(PALETTE))("text has enough contrast on a %s screen", (_, colors) => {
  for (const [text, background] of TEXTS)
    expect(contrast(colors[text], colors[background]), `${text} on ${background}`).toBeGreaterThanOrEqual(4.5);
});

test("a dark screen has its own colors", () => {
  expect(paletteStyle()).toMatch(/^:root\{.*--page:#f6f7f9;.*\}@media \(prefers-color-scheme:dark\)\{:root\{.*\}\}$/);
});
