/** Characters that no argument can contain: NUL ends a C string, and an unpaired surrogate is not valid UTF-8. */
const UNQUOTABLE = /[\0\p{Cs}]/u;

/**
 * Quotes a value as a word in a POSIX shell command. All values in shell commands pass through this function. Plain
 * words stay unquoted, so that rendered scripts and golden files are readable.
 * @throws Error when the value contains NUL or an unpaired surrogate; the message does not contain the value
 */
export function quote(value: string): string {
  if (UNQUOTABLE.test(value)) throw new Error("a word in a command cannot contain NUL or an unpaired surrogate");
  if (value !== "" && /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Returns a command line of quoted words. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
