import { expect } from "vitest";

const BOOTSTRAP_TOKEN = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g;
const PRIVATE_KEY = /BEGIN [A-Z ]*PRIVATE KEY/;

/**
 * Expects none of the secrets, no bootstrap token and no private key in the texts. Failures do not print the secrets.
 */
export function expectNoSecrets(place: string, texts: readonly string[], secrets: readonly string[]): void {
  const count = (matches: (text: string) => boolean) => texts.filter(matches).length;
  for (const secret of secrets)
    expect(
      count((text) => text.includes(secret)),
      `secrets in ${place}`,
    ).toBe(0);
  const tokens = texts.flatMap((text) => text.match(BOOTSTRAP_TOKEN) ?? []);
  expect(tokens.length, `bootstrap tokens in ${place}`).toBe(0);
  expect(
    count((text) => PRIVATE_KEY.test(text)),
    `private keys in ${place}`,
  ).toBe(0);
}
