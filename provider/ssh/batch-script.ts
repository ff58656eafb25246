import { quote } from "../../common/quote";

/** Exit code and output of one script. */
export interface ScriptResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Joins several read-only scripts into one. They run one after the other, each in its own shell and without input.
 * @param mark a string that no output contains, so that no output is mistaken for the end of another
 */
export function batchScript(scripts: readonly string[], mark: string): string {
  const word = quote(mark);
  const printMarks = `printf '\\n%s %s\\n' ${word} "$code"; printf '\\n%s\\n' ${word} >&2`;
  const head = `read_one() { /bin/sh -c "$1" </dev/null; code=$?; ${printMarks}; }`;
  return [head, ...scripts.map((script) => `read_one ${quote(script)}`)].join("\n");
}

/** Splits the output of a batch into the results of its scripts; undefined if the batch did not finish. */
export function splitResults(
  { stdout, stderr }: Pick<ScriptResult, "stdout" | "stderr">,
  count: number,
  mark: string,
): ScriptResult[] | undefined {
  const outputs = stdout.split(`\n${mark} `);
  const errors = stderr.split(`\n${mark}\n`);
  if (outputs.length !== count + 1 || errors.length !== count + 1) return undefined;
  return outputs.slice(1).map((part, index) => {
    const before = outputs[index] ?? "";
    // After each mark come the exit code of the script before it, a newline, and the output of the next script.
    const output = index === 0 ? before : before.slice(before.indexOf("\n") + 1);
    return { code: parseInt(part, 10), stdout: output, stderr: errors[index] ?? "" };
  });
}
