import { distance } from "fastest-levenshtein";

/** Returns the name that was probably meant by a misspelled word. */
export function closestName(word: string, names: readonly string[]): string | undefined {
  const ranked = names.map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }));
  const [best] = ranked.sort((one, other) => one.edits - other.edits);
  // With more than a third of the letters changed, all short names would resemble each other.
  return best !== undefined && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.name : undefined;
}
