/**
 * The one place where a value becomes a word of a POSIX shell command.
 * Plain words stay as they are, so that rendered scripts and golden files stay readable.
 */
export function quote(value: string): string {
  if (value !== "" && /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A command line from words, each quoted. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
