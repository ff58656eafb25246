import { fc } from "./fast-check";

/** Factor for all counts: `KUBEWRIGHT_FUZZ=100 npm run unit -- hostile` for a long run. */
export const FUZZ_FACTOR = Number(process.env.KUBEWRIGHT_FUZZ ?? 1);

const FRAGMENTS = [
  "'",
  '"',
  "`",
  "\\",
  "$",
  "$(touch /tmp/owned)",
  "${IFS}",
  "`id`",
  ";",
  "&&",
  "|",
  ">",
  "<",
  "\n",
  "\r\n",
  "\t",
  " ",
  "*",
  "?",
  "[a]",
  "~",
  "#",
  "!",
  "-",
  "--",
  "-rf",
  "=",
  "%s",
  "%n",
  "..",
  "/",
  "//",
  "a",
  "0",
  "é",
  "漢",
  "😀",
  "\u202e",
  "\u0085",
  "\u2028",
  "\ufeff",
  "\u007f",
  "\u001b[31m",
  "\u0007",
  "@@",
  "@PAUSE_IMAGE@",
  "EOF",
  "{{",
  "}}",
  ": ",
  "- ",
  "on",
  "null",
  "'\\''",
];

/**
 * Text that users (and attackers) write where a name is expected: reserved words in shells, YAML and terminals, any
 * Unicode, and too much of it.
 */
export function hostileText(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }).map((parts) => parts.join("")) },
    { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "yes",
        "no",
        "on",
        "off",
        "y",
        "~",
        "0x10",
        "0777",
        "1_000",
        "1:30",
        "2026-11-21",
        "1e3",
        ".inf",
        "<<",
        "=",
        "",
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("a", "'", "漢", "\n"), fc.integer({ min: 250, max: 4000 }))
        .map(([part, times]) => part.repeat(times)),
    },
  );
}

/** Texts that a command line can carry. */
export function hostileWord(): fc.Arbitrary<string> {
  return hostileText().map((text) => text.replaceAll("\0", "\u0001"));
}

/** Runs a property `times` times (more with KUBEWRIGHT_FUZZ), and prints the count. */
export async function holds<T extends [unknown, ...unknown[]]>(
  what: string,
  times: number,
  property: fc.IRawProperty<T>,
): Promise<void> {
  const start = Date.now();
  // On a busy computer fewer cases run instead of the test failing; the printed line has the count. Shrinking over SSH
  // would take minutes.
  const result = await fc.check(property, {
    numRuns: times * FUZZ_FACTOR,
    interruptAfterTimeLimit: LONGEST_MS * FUZZ_FACTOR,
    endOnFailure: property.isAsync(),
  });
  if (result.failed) throw new Error(await fc.asyncDefaultReportMessage(result), { cause: result.errorInstance });
  process.stdout.write(
    `hostile values: ${what}: ${result.numRuns} cases in ${((Date.now() - start) / 1000).toFixed(1)} s\n`,
  );
}

const LONGEST_MS = 20_000;

/** Milliseconds that a test may take, long runs included. */
export const HOSTILE_TIMEOUT_MS = 60_000 * FUZZ_FACTOR;
