import { expect } from "vitest";

/** Expects the phrases in this order. */
export function inOrder(text: string, ...words: string[]): void {
  const places = words.map((word) => text.indexOf(word));
  expect(
    places.every((place) => place >= 0),
    `${words.filter((_, index) => (places[index] ?? -1) < 0).join(", ")} not printed`,
  ).toBe(true);
  expect(places).toEqual([...places].sort((one, other) => one - other));
}
