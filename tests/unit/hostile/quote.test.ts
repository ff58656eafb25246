import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fc } from "../../support/fast-check";
import { expect, test } from "vitest";
import { commandLine, quote } from "../../../common/quote";
import { holds, hostileWord, HOSTILE_TIMEOUT_MS } from "../../support/hostile";

const SHELLS = ["/bin/sh", "/bin/bash", "/bin/dash"].filter((shell) => existsSync(shell));
const WORDS = 40;
/** The maximum length of one program argument on Linux, in bytes: execve(2). */
const MAX_ARG_STRLEN = 131_072;

function heard(shell: string, script: string): string[] {
  return execFileSync(shell, ["-c", script], { encoding: "utf8", maxBuffer: 1 << 28 })
    .split("\0")
    .slice(0, -1);
}

test.each(SHELLS)(
  "%s reads every word back unchanged",
  async (shell) => {
    const words = fc.array(hostileWord(), { minLength: 1, maxLength: WORDS });
    await holds(
      `lists of up to ${WORDS} words through ${shell}`,
      100,
      fc.property(words, (given) => {
        expect(heard(shell, `printf '%s\\0' ${commandLine(given)}`)).toEqual(given);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test.each(SHELLS)(
  "%s: a word in a script that is itself an argument, quoted three times",
  async (shell) => {
    await holds(
      `words within scripts within scripts through ${shell}`,
      60,
      fc.property(hostileWord(), (word) => {
        const inner = `printf '%s\\0' ${quote(word)}`;
        const script = `${shell} -c ${quote(`${shell} -c ${quote(inner)}`)}`;
        fc.pre(Buffer.byteLength(script) < MAX_ARG_STRLEN);
        expect(heard(shell, script)).toEqual([word]);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test("rejects an argument that no shell can pass, and does not quote it in the error", () => {
  for (const argument of ["se\0cret", "se\ud800cret"]) {
    expect(() => quote(argument)).toThrow(/a word in a command cannot contain/);
    expect(() => quote(argument)).not.toThrow(/cret/);
  }
});
