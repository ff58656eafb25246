import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { chooseSource, mirrorUrl, probeUrls, realProbes, reasonOf, type Probes } from "../../../artifacts/source";
import { loadVersions } from "../../../artifacts/versions";

const never = new AbortController().signal;

function fakeProbes(refused: string[], go: string | undefined): Probes & { probed: string[] } {
  const probed: string[] = [];
  return {
    probed,
    probeUrl: async (url) => {
      probed.push(url);
      return refused.some((host) => url.includes(host)) ? `${new URL(url).host}: refused` : undefined;
    },
    readGoVersion: async () => go,
  };
}

describe("auto", () => {
  test("chooses the official hosts when all of them answer, and probes each once", async () => {
    const probes = fakeProbes([], undefined);
    expect((await chooseSource("auto", never, probes)).source).toEqual({ kind: "official" });
    expect(probes.probed).toEqual(probeUrls(loadVersions()));
  });

  test("builds from modules, and gives the reason, when one host is unreachable and Go is recent enough", async () => {
    const choice = await chooseSource("auto", never, fakeProbes(["ghcr.io"], "1.26.8"));
    expect(choice.source).toEqual({ kind: "modules" });
    expect(choice.reason).toContain("ghcr.io: refused");
    expect(choice.reason).toContain("1.26.8");
  });

  test.each([
    ["there is no Go toolchain on PATH", undefined],
    ["the Go toolchain is too old \\(1.25.9\\)", "1.25.9"],
  ])("fails with the next action: %s", async (cause, go) => {
    await expect(chooseSource("auto", never, fakeProbes(["dl.k8s.io"], go))).rejects.toThrow(
      new RegExp(`dl\\.k8s\\.io: refused.*${cause}.*install Go 1\\.26\\.0`),
    );
  });
});

test("uses official and a mirror as configured, without probing the network", async () => {
  const probes = fakeProbes(["."], undefined);
  expect((await chooseSource("official", never, probes)).source).toEqual({ kind: "official" });
  expect((await chooseSource("http://10.0.0.9:8080/k8s/", never, probes)).source).toEqual({
    kind: "mirror",
    url: "http://10.0.0.9:8080/k8s",
  });
  expect(probes.probed).toEqual([]);
});

test("refuses modules without a Go toolchain", async () => {
  await expect(chooseSource("modules", never, fakeProbes([], undefined))).rejects.toThrow(
    /install Go 1\.26\.0 or later/,
  );
});

describe("probing a server", () => {
  let server: Server;
  let status = 200;
  beforeEach(async () => {
    vi.stubEnv("no_proxy", "127.0.0.1");
    server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/`;

  test.each([200, 204, 401])("accepts HTTP %i", async (answer) => {
    status = answer;
    expect(await realProbes.probeUrl(url(), never)).toBeUndefined();
  });

  test.each([403, 404, 500])("rejects HTTP %i with the status", async (answer) => {
    status = answer;
    expect(await realProbes.probeUrl(url(), never)).toMatch(
      new RegExp(`^127\\.0\\.0\\.1:\\d+ returned HTTP ${answer}$`),
    );
  });

  test("reports the reason of a refused connection", async () => {
    const closed = url();
    await new Promise((resolve) => server.close(resolve));
    expect(await realProbes.probeUrl(closed, never)).toMatch(/^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  test("reports a timeout", async () => {
    expect(reasonOf(new DOMException("aborted", "TimeoutError"))).toBe("timed out");
  });
});

test.each(["offical", "ftp://host/", ""])("refuses %j as a source", (setting) => {
  expect(() => mirrorUrl(setting)).toThrow(/neither auto, official, modules nor/);
});
