import "reflect-metadata";
import { beforeAll, expect, test } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority } from "../../../../provider/pki/x509";
import { formerText, knownHashes, parseFormer } from "../../../../provider/pki/former-authorities";
import { bundleIn } from "../../../../provider/rotation/phases";

let [first, second, third] = ["", "", ""];
beforeAll(async () => {
  [first, second, third] = (await Promise.all(
    [1, 2, 3].map(async () => (await createAuthority("kubernetes", 10)).certificate),
  )) as [string, string, string];
});

test("a cluster is known by the CA of its beginning in every phase and afterwards", () => {
  const former = formerText(first);
  for (const phase of ["trust", "reissue", "drop"] as const) {
    const bundle = bundleIn(phase, { previous: first, next: second });
    expect(knownHashes(bundle, former)).toContain(caCertHash(first));
  }
});

test("after a second rotation it is known by both former ones", () => {
  const former = formerText(second, formerText(first));
  expect(parseFormer(former)).toEqual([caCertHash(first), caCertHash(second)]);
  expect(knownHashes(third, former)).toEqual([third, first, second].map(caCertHash));
});

test("recorded again, nothing is named twice", () => {
  expect(formerText(first, formerText(first))).toBe(formerText(first));
});

test("a damaged record names nothing", () => {
  expect(parseFormer("sha256:abc\n\nrm -rf /\n")).toEqual([]);
});
