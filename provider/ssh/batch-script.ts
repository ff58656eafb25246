import { quote } from "../../common/quote";

/** Exit code and output of one script. */
export interface ScriptResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Joins several scripts that only read into one. Each runs in a shell of its own, without input, one after the other.
 * @param mark a string that no output can contain, so that no output is taken for the end of another
 */
export function batchScript(scripts: readonly string[], mark: string): string {
  const word = quote(mark);
  const printMarks = `printf '\\n%s %s\\n' ${word} "$code"; printf '\\n%s\\n' ${word} >&2`;
  const head = `read_one() { /bin/sh -c "$1" </dev/null; code=$?; ${printMarks}; }`;
  return [head, ...scripts.map((script) => `read_one ${quote(script)}`)].join("\n");
}

/** Splits the output of a batch into the results of its scripts; undefined if the batch did not run to its end. */
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
