/** Combines the patterns of consecutive lines. */
export function linePattern(...lines: RegExp[]): RegExp {
  return new RegExp(lines.map(({ source }) => source).join("\\n"));
}
