/**
 * Escape sequences of terminals (ECMA-48): complete CSI, OSC and similar sequences, or a single escape and the next
 * character.
 */
const ESCAPES =
  // eslint-disable-next-line max-len -- a regular expression cannot be wrapped
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
/**
 * Control characters other than tab and newline, unpaired surrogates, and characters that change the writing direction.
 */
const CONTROLS = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?![\t\n])\p{Cc}/gu;
/** Pulumi's color markup: `<{%fg 1%}>`. */
const PULUMI_COLORS = /<\{%/g;

/**
 * Makes text from outside safe to show: it can neither color nor control a terminal. Keeps the last `maxLength`
 * characters, because commands print the reason of a failure at the end.
 */
export function printable(text: string, maxLength = 4_000): string {
  const tail = text.length > maxLength ? `...${text.slice(-maxLength)}` : text;
  return tail
    .replace(ESCAPES, "")
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replace(CONTROLS, "\ufffd")
    .replace(PULUMI_COLORS, "< {%");
}
