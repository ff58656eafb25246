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

const LOGIN_KEY = /-----BEGIN OPENSSH PRIVATE KEY-----[^-]*-----END OPENSSH PRIVATE KEY-----/g;

/**
 * Returns a debug log of Pulumi without the private key in its entries on the SSH key. Pulumi prints all outputs of a
 * resource there, secret or not; no other entry may have the key.
 */
export function withoutOutputsOfKey(log: string): string {
  const entries = log.split(/^(?=[A-Z]\d{4} \d\d:\d\d:\d\d)/m);
  const isOnKey = (entry: string) => entry.includes("kubewright:local:SshKey");
  return entries.map((entry) => (isOnKey(entry) ? entry.replaceAll(LOGIN_KEY, "") : entry)).join("");
}
