/** Formats a count with its noun: `1 machine`, `2 machines`. */
export function pluralize(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
