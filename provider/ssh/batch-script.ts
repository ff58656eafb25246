import { quote } from "../../common/quote";

/** What one script of a batch came to. */
export interface ScriptResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Several scripts that only look, as one: each runs in a shell of its own, without input, one after the other.
 * `mark`: a word that nobody else can know, so that no output is taken for the end of another.
 */
export function batchScript(scripts: readonly string[], mark: string): string {
  const word = quote(mark);
  const head = `look() { /bin/sh -c "$1" </dev/null; code=$?; printf '\\n%s %s\\n' ${word} "$code"; printf '\\n%s\\n' ${word} >&2; }`;
  return [head, ...scripts.map((script) => `look ${quote(script)}`)].join("\n");
}

/** Of each script its own; undefined where the batch did not come to its end. */
export function splitResults(
  { stdout, stderr }: Pick<ScriptResult, "stdout" | "stderr">,
  count: number,
  mark: string,
): ScriptResult[] | undefined {
  const parts = stdout.split(`\n${mark} `);
  const complaints = stderr.split(`\n${mark}\n`);
  if (parts.length !== count + 1 || complaints.length !== count + 1) return undefined;
  return parts.slice(1).map((part, index) => {
    const before = parts[index] ?? "";
    // Behind each mark come the code of what was before it, a newline, and what the next one says.
    const said = index === 0 ? before : before.slice(before.indexOf("\n") + 1);
    return { code: parseInt(part, 10), stdout: said, stderr: complaints[index] ?? "" };
  });
}
