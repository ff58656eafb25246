/** Escape sequences of terminals (ECMA-48): CSI, OSC and the like up to their end, or a lone escape and what follows. */
const ESCAPES =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
/** Control characters but tab and newline, halves of surrogate pairs, and what turns the direction of writing. */
const CONTROLS = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?![\t\n])\p{Cc}/gu;
/** Pulumi's own colours: `<{%fg 1%}>`. */
const PULUMI_COLOURS = /<\{%/g;

/**
 * Text that came from outside as it may be shown to a person: it cannot colour or steer a terminal, and is no longer than `longest`
 * characters, of which the end is kept, where commands say what went wrong.
 */
export function printable(text: string, longest = 4_000): string {
  const tail = text.length > longest ? `...${text.slice(-longest)}` : text;
  return tail
    .replace(ESCAPES, "")
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replace(CONTROLS, "\ufffd")
    .replace(PULUMI_COLOURS, "< {%");
}
