/** Letters of an error that are enough in a table. */
const LONGEST_LINE = 300;

/** What the person is told: errors, or else the last words. */
export function causeIn(text: string): string {
  const errors = errorsIn(text);
  return errors.length > 0 ? errors.join("; ") : linesOf(text).slice(-2).join("; ");
}

export function errorsIn(text: string): string[] {
  return linesOf(text)
    .filter((line) => line.startsWith("✗ "))
    .slice(0, 2);
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().slice(0, LONGEST_LINE))
    .filter((line) => line !== "");
}

/** Whatever became of the command: a stack trace is for nobody who uses it. */
export function traces(text: string): string[] {
  return /^\s+at \S+ \(.*:\d+:\d+\)$/m.test(text) ? ["the error is a stack trace"] : [];
}

/** What somebody who reads how a command failed would miss: the machine that it is about, and what to do next. */
export function unclear(text: string, target: string): string[] {
  const wrong = traces(text);
  if (!text.includes(target)) wrong.push(`nothing names ${target}: ${causeIn(text)}`);
  if (!/\bnpm (start|run )/.test(text)) wrong.push(`nothing says what to run next: ${causeIn(text)}`);
  return wrong;
}
