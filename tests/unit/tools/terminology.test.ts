import { describe, expect, test } from "vitest";
import { findTerms } from "../../../tools/terminology";

const phrases = (text: string) => findTerms(text).map(({ phrase }) => phrase);

describe("findTerms", () => {
  test("reports the line, the phrase and the replacement", () => {
    expect(findTerms("one\ntwo is no number")).toEqual([
      { line: 2, phrase: "is no number", write: "must be a ..., there is no ..." },
    ]);
  });

  test.each([
    ["in upper case", "By hand, the file is written.", "By hand"],
    ["across the lines of a comment", "/**\n * The engine lets\n * go of the file.\n */", "lets go of"],
    ["across shell comments", "# everything at\n# once", "at once"],
    ["in one word", "a handmade cluster", "handmade"],
  ])("finds a phrase %s", (_where, text, phrase) => {
    expect(phrases(text)).toEqual([phrase]);
  });

  test("finds a sentence that starts with Who and is no question", () => {
    expect(phrases("/** Who waits here holds a slot. */")).toContain("Who");
    expect(phrases("// Who owns this file?")).toEqual([]);
  });

  test("accepts plain sentences and longer words", () => {
    expect(phrases("The standby host answers once. Passwords of users, the highway to it.")).toEqual([]);
  });
});
