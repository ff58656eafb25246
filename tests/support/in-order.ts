import { expect } from "vitest";

/** Each of these words comes after the one before it. */
export function inOrder(text: string, ...words: string[]): void {
  const places = words.map((word) => text.indexOf(word));
  expect(
    places.every((place) => place >= 0),
    `${words.filter((_, index) => (places[index] ?? -1) < 0).join(", ")} not said`,
  ).toBe(true);
  expect(places).toEqual([...places].sort((one, other) => one - other));
}
