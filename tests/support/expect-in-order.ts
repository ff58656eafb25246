import { expect } from "vitest";

/** Expects the messages in the text, each after the one before it. */
export function expectInOrder(text: string, ...messages: string[]): void {
  const positions = messages.map((message) => text.indexOf(message));
  const missing = messages.filter((_, index) => (positions[index] ?? -1) < 0);
  expect(missing, "missing messages").toEqual([]);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
}
