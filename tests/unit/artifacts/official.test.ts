import { describe, expect, test } from "vitest";
import { findPublishedSum } from "../../../artifacts/download";
import { DOCKER_BINARIES, NODE_BINARIES } from "../../../common/binary-names";
import { sourceUrl, downloadKey, planDownloads, type Remote } from "../../../artifacts/official";
import { loadVersions } from "../../../artifacts/versions";

const versions = loadVersions();
const official: Remote = { kind: "official" };
const mirror: Remote = { kind: "mirror", url: "http://mirror:8080/k8s" };
const sum = (digit: string): string => digit.repeat(64);

test("the downloads contain every binary that nodes need", () => {
  const brought = planDownloads(versions, "1.36.3", "amd64").flatMap((fetch) =>
    fetch.members ? Object.keys(fetch.members) : [fetch.name],
  );
  expect(brought.sort()).toEqual([...NODE_BINARIES].sort());
});

test("the downloads contain cri-dockerd with the docker runtime", () => {
  const brought = planDownloads(versions, "1.36.3", "arm64", "docker").filter(({ name }) =>
    DOCKER_BINARIES.some((binary) => binary === name),
  );
  expect(brought.map(({ url }) => url)).toEqual([
    "https://github.com/Mirantis/cri-dockerd/releases/download/v0.4.3/cri-dockerd-0.4.3.arm64.tgz",
  ]);
});

test("Kubernetes' downloads have the cluster's version, others their own", () => {
  const urls = planDownloads(versions, "1.35.4", "arm64").map((fetch) => fetch.url);
  expect(urls).toContain("https://dl.k8s.io/v1.35.4/bin/linux/arm64/kubelet");
  expect(urls).toContain("https://github.com/opencontainers/runc/releases/download/v1.5.1/runc.arm64");
  expect(urls.join()).not.toMatch(/[{}]/);
});

test("the layout of a mirror is <mirror>/<official host>/<path>", () => {
  const url = "https://dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet";
  expect(sourceUrl(official, url)).toBe(url);
  expect(sourceUrl(mirror, url)).toBe("http://mirror:8080/k8s/dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet");
});

test("entries of different sources have different keys", () => {
  const [fetch] = planDownloads(versions, "1.36.3", "amd64");
  if (!fetch) throw new Error("nothing planned");
  const keys = [official, mirror, { ...mirror, url: "http://other" }].map((source) => downloadKey(fetch, source));
  expect(new Set(keys).size).toBe(3);
});

describe("published checksum files", () => {
  test.each([
    ["a bare sum, as beside Kubernetes' binaries", `${sum("a")}\n`],
    ["sum and name, as beside containerd's", `${sum("a")}  tool.tar.gz\n`],
    ["a binary-mode star", `${sum("a")} *tool.tar.gz\n`],
    ["a path before the name", `${sum("a")}  release/tool.tar.gz\n`],
    ["a list, as etcd's and runc's", `${sum("b")}  other.tar.gz\n${sum("a")}  tool.tar.gz\n`],
    [
      "a release's description",
      JSON.stringify({
        assets: [
          { name: "other", digest: null },
          { name: "tool.tar.gz", digest: `sha256:${sum("a")}` },
        ],
      }),
    ],
    ["upper case", `${sum("A")}  tool.tar.gz`],
  ])("%s", (_, text) => expect(findPublishedSum(text, "tool.tar.gz")).toBe(sum("a")));

  test.each([
    ["another file's sum alone", `${sum("b")}  other.tar.gz`],
    ["a page that says no", "<html>404</html>"],
    ["a name that only ends the same", `${sum("b")}  static-tool.tar.gz`],
    ["nothing", ""],
    ["a release without digests", JSON.stringify({ assets: [{ name: "tool.tar.gz" }] })],
    [
      "a release of something else",
      JSON.stringify({ assets: [{ name: "static-tool.tar.gz", digest: `sha256:${sum("a")}` }] }),
    ],
    ["half a description", '{"assets": ['],
  ])("no sum in %s", (_, text) => expect(findPublishedSum(text, "tool.tar.gz")).toBeUndefined());
});
