import { StepError } from "../../common/errors";

/** What `npm run bench` can compare. */
export const PARTS = ["cluster", "nodes", "ha"] as const;
export type Part = (typeof PARTS)[number];

/** Without a part on the command line. Five machines of `ha` take longer than the other parts together. */
export const DEFAULT_PARTS: readonly Part[] = ["cluster", "nodes"];
export const DEFAULT_ROUNDS = 3;

export interface BenchPlan {
  parts: readonly Part[];
  rounds: number;
}

/** Reads parts and rounds from the command line, in any order. @throws StepError for anything else */
export function readPlan(words: readonly string[]): BenchPlan {
  const isPart = (word: string): word is Part => PARTS.some((part) => part === word);
  const parts = PARTS.filter((part) => words.includes(part));
  const [rounds = String(DEFAULT_ROUNDS), ...more] = words.filter((word) => !isPart(word));
  const unknown = /^[1-9]\d*$/.test(rounds) ? more[0] : rounds;
  if (unknown !== undefined) {
    throw new StepError({
      step: "read the command line",
      cause: `"${unknown}" must be one of ${PARTS.join(", ")}, or one number of rounds`,
      action: "correct it",
    });
  }
  return { parts: parts.length > 0 ? parts : DEFAULT_PARTS, rounds: Number(rounds) };
}
