import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cachedArtifacts, findReleaseProblem, obtainArtifacts, type ArtifactRequest } from "../../../artifacts";
import { kubeadmDownload, parseImageList } from "../../../artifacts/kubeadm-images";
import { planDownloads } from "../../../artifacts/official";
import { findSourceProblem } from "../../../artifacts/releases";
import { loadVersions } from "../../../artifacts/versions";
import { silent } from "../../../common/progress";
import { Mirror, sha256 } from "./mirror";

const KUBERNETES = "1.36.9";
const never = new AbortController().signal;
const versions = loadVersions();
const kubeadm = kubeadmDownload({ versions, kubernetes: KUBERNETES });

/** The output of kubeadm 1.36.3, with other tags. */
const LIST = `registry.k8s.io/kube-apiserver:v1.36.9
registry.k8s.io/kube-controller-manager:v1.36.9
registry.k8s.io/kube-scheduler:v1.36.9
registry.k8s.io/kube-proxy:v1.36.9
registry.k8s.io/coredns/coredns:v1.14.9
registry.k8s.io/pause:3.10.9
registry.k8s.io/etcd:3.6.19-0`;

let mirror: Mirror;
let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "unlisted-test-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", cache);
  // The tests must not use a proxy of this computer.
  vi.stubEnv("no_proxy", "127.0.0.1");
  mirror = await Mirror.start([...planDownloads(versions, KUBERNETES, "amd64"), kubeadm]);
  serveKubeadm(`[ "$*" = "config images list --kubernetes-version v1.36.9" ] && echo '${LIST}'`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await mirror.stop();
  await rm(cache, { recursive: true, force: true });
});

/** Serves a script as kubeadm, with its published checksum. */
function serveKubeadm(script: string): void {
  const content = Buffer.from(`#!/bin/sh\n${script}\n`);
  mirror.replace(kubeadm.url, content);
  mirror.replace(kubeadm.checksum, Buffer.from(sha256(content)));
}

function request(changes: Partial<ArtifactRequest> = {}): ArtifactRequest {
  return { source: mirror.url, kubernetes: KUBERNETES, arch: "amd64", ...changes };
}

test("a patch release that is not listed has the images that its own kubeadm lists", async () => {
  const { refs, images } = await obtainArtifacts(request(), silent, never);
  expect(refs).toMatchObject({
    etcd: "registry.k8s.io/etcd:3.6.19-0",
    coredns: "registry.k8s.io/coredns/coredns:v1.14.9",
    pause: "registry.k8s.io/pause:3.10.9",
    apiserver: "registry.k8s.io/kube-apiserver:v1.36.9",
  });
  expect(images.worker).toContain("registry.k8s.io/pause:3.10.9");
});

test("asks the source nothing and does not run kubeadm the second time", async () => {
  expect(await cachedArtifacts(request())).toBeUndefined();
  const first = await obtainArtifacts(request(), silent, never);
  const asked = mirror.asked.length;
  expect(await findReleaseProblem(request(), never)).toBeUndefined();
  const second = await obtainArtifacts(request(), silent, never);
  expect(mirror.asked).toHaveLength(asked);
  expect(second.refs).toEqual(first.refs);
});

test("does not run a kubeadm whose checksum is wrong", async () => {
  const proof = join(cache, "was-run");
  mirror.replace(kubeadm.url, Buffer.from(`#!/bin/sh\ntouch ${proof}; echo '${LIST}'\n`));
  await expect(obtainArtifacts(request(), silent, never)).rejects.toThrow(/kubeadm failed: its sha256 is/);
  expect(existsSync(proof)).toBe(false);
});

test.each([
  ["fails", "echo no such version >&2; exit 1", /list the images of kubeadm 1\.36\.9 failed: no such version/],
  ["prints no etcd", "echo registry.k8s.io/pause:3.10", /kubeadm printed no etcd, pause or CoreDNS/],
])("keeps nothing of a kubeadm that %s", async (_, script, message) => {
  serveKubeadm(script);
  await expect(obtainArtifacts(request(), silent, never)).rejects.toThrow(message);
  expect((await readdir(join(cache, "artifacts"))).filter((name) => name.includes("kubeadm-images"))).toEqual([]);
});

test("refuses a version that the source does not have, and asks it once", async () => {
  const problem = await findReleaseProblem(request({ kubernetes: "1.36.77" }), never);
  expect(problem?.reason).toMatch(
    /^Kubernetes 1\.36\.77 cannot be downloaded: .*\/v1\.36\.77\/.*kubeadm\.sha256: the server returned HTTP 404$/,
  );
  expect(problem?.action).toMatch(/use a patch release that was published, or one of 1\.36\.3, /);
  expect(mirror.asked).toHaveLength(1);
  await expect(obtainArtifacts(request({ kubernetes: "1.36.77" }), silent, never)).rejects.toThrow(
    /choose Kubernetes 1\.36\.77 failed: Kubernetes 1\.36\.77 cannot be downloaded/,
  );
  expect(mirror.asked).toHaveLength(2);
});

test("accepts a version that the source has, and needs no source for a listed one", async () => {
  expect(await findReleaseProblem(request(), never)).toBeUndefined();
  const asked = mirror.asked.length;
  expect(await findReleaseProblem(request({ kubernetes: "1.36.3" }), never)).toBeUndefined();
  expect(mirror.asked).toHaveLength(asked);
});

test("refuses another minor version without asking the source", async () => {
  const problem = await findReleaseProblem(request({ kubernetes: "1.99.0" }), never);
  expect(problem?.reason).toBe("Kubewright cannot install version 1.99.0");
  expect(problem?.action).toMatch(/^use one of 1\.36\.3, .*, or another patch release of these minor versions$/);
  expect(mirror.asked).toEqual([]);
  await expect(cachedArtifacts(request({ kubernetes: "1.99.0" }))).rejects.toThrow("cannot install version 1.99.0");
});

test("modules have listed versions only", async () => {
  const choice = { source: { kind: "modules" }, reason: "building, because dl.k8s.io timed out" } as const;
  const problem = await findSourceProblem(versions, KUBERNETES, choice, never);
  expect(problem?.reason).toBe(
    "versions.yaml does not list Kubernetes 1.36.9, and only listed versions can be built from Go modules " +
      "(building, because dl.k8s.io timed out)",
  );
  expect(problem?.action).toContain("set `source` to `official`");
  expect(await findSourceProblem(versions, "1.36.3", choice, never)).toBeUndefined();
  expect(await cachedArtifacts(request({ source: "modules" }))).toBeUndefined();
});

test("a computer that cannot run kubeadm installs listed versions only", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform")!;
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  try {
    const problem = await findReleaseProblem(request(), never);
    expect(problem?.reason).toMatch(/runs on Linux only/);
  } finally {
    Object.defineProperty(process, "platform", platform);
  }
});

test("reads kubeadm's list also with a registry of several parts, and not an incomplete one", () => {
  const tags = { etcd: "3.6.19-0", pause: "3.10.9", coredns: "v1.14.9" };
  expect(parseImageList(LIST)).toEqual(tags);
  expect(parseImageList(LIST.replaceAll("registry.k8s.io", "mirror:5000/k8s"))).toEqual(tags);
  expect(parseImageList(LIST.replace(/.*pause.*\n/, ""))).toBeUndefined();
  expect(parseImageList("")).toBeUndefined();
});
