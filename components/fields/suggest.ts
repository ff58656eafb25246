import { closest, distance } from "fastest-levenshtein";

/** Returns the known word that a mistyped word most likely stands for, or undefined where none is similar. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const typed = word.toLowerCase();
  const best = closest(
    typed,
    known.map((candidate) => candidate.toLowerCase()),
  );
  // At most a third of the letters may differ: with more, short names would all resemble each other.
  if (distance(typed, best) > Math.max(1, Math.floor(word.length / 3))) return undefined;
  return known.find((candidate) => candidate.toLowerCase() === best);
}
