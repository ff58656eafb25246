/** Characters of an error line that a table shows. */
const LONGEST_LINE = 300;
const ERROR_MARK = "✗ ";
const NEXT_COMMAND = /\bnpm (start|run [a-z:]+)|\bkubectl \w+|\bpulumi \w+/;
const MACHINE = /\b(control-plane|worker)-\d+/;
const STACK_FRAME = /^\s+at (\S+ )?\(?\S+:\d+:\d+\)?$/m;

/** Returns the errors of a command's output, shortened, or its last lines when it has none. */
export function summarizeFailure(text: string): string {
  const errors = readErrors(text);
  if (errors.length === 0) return shorten(text).slice(-2).join("; ");
  return errors
    .slice(0, 2)
    .map((error) => shorten(error)[0])
    .join("; ");
}

/** Returns the error messages of the output: lines that start with ✗, each with its indented continuation. */
export function readErrors(text: string): string[] {
  const errors: string[][] = [];
  let indent = -1;
  for (const line of text.split("\n")) {
    const depth = line.length - line.trimStart().length;
    if (line.trimStart().startsWith(ERROR_MARK)) {
      errors.push([line.trim()]);
      indent = depth;
    } else if (indent >= 0 && line.trim() !== "" && depth > indent) errors.at(-1)?.push(line.trim());
    else indent = -1;
  }
  return [...new Set(errors.map((lines) => lines.join("\n")))];
}

function shorten(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().slice(0, LONGEST_LINE))
    .filter((line) => line !== "");
}

/** Reports a stack trace: users cannot act on it, whether the command failed or not. */
export function findStackTrace(text: string): string[] {
  return STACK_FRAME.test(text) ? ["the error is a stack trace"] : [];
}

/**
 * Returns what the report of a failed command lacks. Only the report at the end counts, not the progress lines before
 * it: each error names a machine, one of them the target, and the report names the next command.
 */
export function checkErrorClarity(text: string, target: string): string[] {
  const problems = findStackTrace(text);
  const report = reportOf(text);
  const errors = readErrors(report);
  const summary = summarizeFailure(text);
  if (!mentions(errors.length > 0 ? errors.join("\n") : report, target))
    problems.push(`no error names ${target}: ${summary}`);
  for (const error of errors)
    if (!MACHINE.test(error)) problems.push(`an error names no machine: ${shorten(error)[0]}`);
  if (!NEXT_COMMAND.test(report)) problems.push(`the error names no next command: ${summary}`);
  return problems;
}

/** Returns what the output of an interrupted command lacks: it says that it stops, and how to continue. */
export function checkInterruption(text: string): string[] {
  const problems = findStackTrace(text);
  if (!/(?:^|\W)stop(?:ped|ping)\b[^\n]*\bnpm (start|run )/.test(text))
    problems.push(`the interrupted command names no next command: ${summarizeFailure(text)}`);
  return problems;
}

/** Returns the end of the output from the first ✗, or else its last paragraph. */
function reportOf(text: string): string {
  const lines = text.trimEnd().split("\n");
  const first = lines.findIndex((line) => line.trimStart().startsWith(ERROR_MARK));
  if (first >= 0) return lines.slice(first).join("\n");
  return lines.slice(lines.findLastIndex((line) => line.trim() === "") + 1).join("\n");
}

function mentions(text: string, machine: string): boolean {
  return new RegExp(`(?<![\\w-])${machine}(?!\\d)`).test(text);
}
