/** `0.4 s`, `36.2 s`, `2 min 5 s` */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `2026-11-26 18:40 UTC` */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Average width of a character, as a part of the font's size. Fonts differ, so it is wider than most of them. */
const CHARACTER = 0.58;

/** Estimates the width of a text: an SVG is laid out before it is known which font will show it. */
export function textWidth(text: string, size: number): number {
  return text.length * size * CHARACTER;
}

/** Shortens a text to a width, with an ellipsis. */
export function fitText(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  return `${text.slice(0, Math.max(1, Math.floor(width / (size * CHARACTER)) - 1))}…`;
}
