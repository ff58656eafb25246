import { describe, expect, test } from "vitest";
import { chooseSource, mirrorUrl, probeUrls, type Probes } from "../../../artifacts/source";
import { loadVersions } from "../../../artifacts/versions";

const never = new AbortController().signal;

function world(refused: string[], go: string | undefined): Probes & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    reach: async (url) => {
      asked.push(url);
      return refused.some((host) => url.includes(host)) ? `${new URL(url).host}: refused` : undefined;
    },
    goVersion: async () => go,
  };
}

describe("auto", () => {
  test("takes the official hosts when all answer, and asks each once", async () => {
    const probes = world([], undefined);
    expect((await chooseSource("auto", never, probes)).source).toEqual({ kind: "official" });
    expect(probes.asked).toEqual(probeUrls(loadVersions()));
  });

  test("builds when one host is out of reach and Go is new enough, and says so", async () => {
    const choice = await chooseSource("auto", never, world(["ghcr.io"], "1.26.8"));
    expect(choice.source).toEqual({ kind: "modules" });
    expect(choice.reason).toContain("ghcr.io: refused");
    expect(choice.reason).toContain("1.26.8");
  });

  test.each([
    ["there is no Go toolchain on PATH", undefined],
    ["Go here is only 1.25.9", "1.25.9"],
  ])("says what to do when %s", async (words, go) => {
    await expect(chooseSource("auto", never, world(["dl.k8s.io"], go))).rejects.toThrow(
      new RegExp(`dl\\.k8s\\.io: refused.*${words}.*install Go 1\\.26\\.0`),
    );
  });
});

test("official and a mirror are taken at their word, without a question to the network", async () => {
  const probes = world(["."], undefined);
  expect((await chooseSource("official", never, probes)).source).toEqual({ kind: "official" });
  expect((await chooseSource("http://10.0.0.9:8080/k8s/", never, probes)).source).toEqual({
    kind: "mirror",
    url: "http://10.0.0.9:8080/k8s",
  });
  expect(probes.asked).toEqual([]);
});

test("modules without Go is refused", async () => {
  await expect(chooseSource("modules", never, world([], undefined))).rejects.toThrow(/install Go 1\.26\.0 or later/);
});

test.each(["offical", "ftp://host/", ""])("%j is no source", (setting) => {
  expect(() => mirrorUrl(setting)).toThrow(/neither auto, official, modules nor/);
});
