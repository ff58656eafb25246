import { expect, test } from "vitest";
import { keepRenewalMark, markRenewal, withoutRenewalMark } from "../../../../provider/kubeadm/renewal-mark";

const PLAIN = "kind: Pod\nmetadata:\n  labels:\n    tier: control-plane\nspec: {}\n";
const ANNOTATED = "kind: Pod\nmetadata:\n  annotations:\n    a: b\n  labels: {}\nspec: {}\n";
const LINE = '    kubewright.io/certificates-renewed: "2027-01-01"\n';

test.each([
  [PLAIN, `kind: Pod\nmetadata:\n  annotations:\n${LINE}  labels:\n    tier: control-plane\nspec: {}\n`],
  [ANNOTATED, `kind: Pod\nmetadata:\n  annotations:\n${LINE}    a: b\n  labels: {}\nspec: {}\n`],
])("a manifest gets the annotation, with and without others", (manifest, marked) => {
  expect(markRenewal(manifest, "2027-01-01")).toBe(marked);
});

test("a second renewal replaces the annotation", () => {
  expect(markRenewal(markRenewal(ANNOTATED, "2026-01-01"), "2027-01-01")).toBe(markRenewal(ANNOTATED, "2027-01-01"));
  expect(markRenewal(markRenewal(PLAIN, "2026-01-01"), "2027-01-01")).toBe(markRenewal(PLAIN, "2027-01-01"));
});

test("a rendered manifest equals the one that runs after a renewal", () => {
  expect(keepRenewalMark(PLAIN, markRenewal(PLAIN, "2027-01-01"))).toBe(markRenewal(PLAIN, "2027-01-01"));
  expect(keepRenewalMark(PLAIN, PLAIN)).toBe(PLAIN);
  expect(keepRenewalMark(PLAIN)).toBe(PLAIN);
});

test.each([PLAIN, ANNOTATED])("without the mark, a manifest is what it was before", (manifest) => {
  expect(withoutRenewalMark(markRenewal(manifest, "2027-01-01"))).toBe(manifest);
  expect(withoutRenewalMark(manifest)).toBe(manifest);
});
