import { describe, expect, test } from "vitest";
import { chooseSuites, suitesOf } from "../../../tools/e2e-suites";

describe("chooseSuites", () => {
  test("runs the core suites by default, and the extended ones with `all`", () => {
    expect(chooseSuites([])).toEqual({ steps: ["e2e"], filters: [] });
    expect(chooseSuites(["all"])).toEqual({ steps: ["e2e", "e2e-extended"], filters: [] });
  });

  test("finds a suite by the beginning of its name in the project that has it", () => {
    expect(chooseSuites(["cluster"]).steps).toEqual(["e2e"]);
    expect(chooseSuites(["articles"]).steps).toEqual(["e2e-extended"]);
    expect(chooseSuites(["ladder"]).steps).toEqual(["e2e", "e2e-extended"]);
    expect(chooseSuites(["articles"]).filters).toEqual(["/e2e/articles", "/e2e/extended/articles"]);
  });

  test("an unknown name fails in vitest, which lists the files it searched", () => {
    expect(chooseSuites(["no-such-suite"]).steps).toEqual(["e2e"]);
  });
});

test("no suite is in both projects", () => {
  const core = new Set(suitesOf("e2e"));
  expect(suitesOf("e2e-extended").filter((suite) => core.has(suite))).toEqual([]);
});
