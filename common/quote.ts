/** A C string ends at NUL, and half a pair is no UTF-8: both would arrive as something else. */
const CARRIES_NOT = /[\0\p{Cs}]/u;

/**
 * The one place where a value becomes a word of a POSIX shell command.
 * Plain words stay as they are, so that rendered scripts and golden files stay readable.
 * @throws where no shell could carry the value; the message does not show it
 */
export function quote(value: string): string {
  if (CARRIES_NOT.test(value)) throw new Error("a NUL or half a surrogate pair cannot be a word of a command");
  if (value !== "" && /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A command line from words, each quoted. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
