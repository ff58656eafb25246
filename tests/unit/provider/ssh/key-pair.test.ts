import { utils } from "ssh2";
import { expect, test, vi } from "vitest";
import { newKeyPair } from "../../../../provider/ssh/key-pair";

test("a key pair that cannot be read again is discarded", () => {
  const make = utils.generateKeyPairSync;
  let asked = 0;
  const malformed = vi.spyOn(utils, "generateKeyPairSync").mockImplementation(((type: "ed25519", options: object) => {
    const pair = make(type, options);
    return asked++ === 0
      ? { ...pair, private: pair.private.replace("AAAAIP", "AAAAHw").replace(/\n[^\n]+\n-----END/, "\n-----END") }
      : pair;
  }) as typeof make);
  const pair = newKeyPair("a comment");
  malformed.mockRestore();
  expect(asked).toBeGreaterThan(1);
  expect(utils.parseKey(pair.private)).not.toBeInstanceOf(Error);
  expect(pair.public).toMatch(/^ssh-ed25519 \S+ a comment$/);
});
