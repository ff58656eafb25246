import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cachedArtifacts, obtainArtifacts, originOf, type ArtifactRequest, type ArtifactSet } from "../../../artifacts";
import { Cache } from "../../../artifacts/cache";
import { downloadTo } from "../../../artifacts/download";
import { NODE_BINARIES } from "../../../common/binary-names";
import { downloadAll, planDownloads, type PlannedDownload } from "../../../artifacts/official";
import { loadVersions } from "../../../artifacts/versions";
import { StepError } from "../../../common/errors";
import { silent } from "../../../common/progress";
import { Mirror, archive, sha256, shortened, silence, status, truncated } from "./mirror";

const never = new AbortController().signal;
const fetches = planDownloads(loadVersions(), "1.36.3", "amd64");
const kubelet = planned("kubelet");
const containerd = planned("containerd");

let mirror: Mirror;
let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "mirror-test-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", cache);
  // The tests must not use a proxy of this computer.
  vi.stubEnv("no_proxy", "127.0.0.1");
  mirror = await Mirror.start(fetches);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await mirror.stop();
  await rm(cache, { recursive: true, force: true });
});

function planned(name: string): PlannedDownload {
  const found = fetches.find((fetch) => fetch.name === name);
  if (!found) throw new Error(`${name} is not planned`);
  return found;
}

function request(): ArtifactRequest {
  return { source: mirror.url, kubernetes: "1.36.3", arch: "amd64" };
}

function obtain(): Promise<ArtifactSet> {
  return obtainArtifacts(request(), silent, never);
}

async function leftovers(): Promise<string[]> {
  return (await readdir(join(cache, "artifacts"))).filter((name) => name.startsWith(".") || name.startsWith("kubelet"));
}

test("downloads every binary from a mirror, executable, and names the mirror as the source", async () => {
  const set = await obtain();
  expect(set.source).toBe(mirror.url);
  expect(Object.keys(set.binaries).sort()).toEqual([...NODE_BINARIES].sort());
  for (const [name, file] of Object.entries(set.binaries)) {
    expect(await readFile(file.path, "utf8")).toBe(`program ${name}`);
    expect((await stat(file.path)).mode & 0o111).toBe(0o111);
    expect(file.sha256).toBe(sha256(Buffer.from(`program ${name}`)));
  }
});

test("nodes pull images through the mirror, under kubeadm's names", async () => {
  const { images, refs } = await obtain();
  expect(images).toMatchObject({ kind: "pull", registryMirror: mirror.url });
  expect(images.worker).toContain("registry.k8s.io/kube-proxy:v1.36.3");
  expect(refs.coredns).toBe("registry.k8s.io/coredns/coredns:v1.14.2");
});

test("records from which download a machine gets each file", async () => {
  const { binaries } = await obtain();
  const program = binaries.kubelet;
  expect(await originOf(program.path)).toEqual({
    url: `${mirror.url}/dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet`,
    sha256: program.sha256,
  });
  const packed = await originOf(binaries.ctr.path);
  expect(packed).toMatchObject({ member: "bin/ctr", url: expect.stringContaining("containerd-static") as string });
  expect(packed?.sha256).not.toBe(binaries.ctr.sha256);
});

test("spells a file of an archive as the archive does", async () => {
  const plugins = planned("cni-plugins");
  const content = await archive(Object.entries(plugins.members ?? {}).map(([name, path]) => [name, `./${path}`]));
  mirror.replace(plugins.url, content);
  mirror.replace(plugins.checksum, Buffer.from(sha256(content)));
  expect(await originOf((await obtain()).binaries.bridge.path)).toMatchObject({ member: "./bridge" });
});

test("a file of unknown origin has none", async () => {
  const { path } = (await obtain()).binaries.ctr;
  const manifest = join(path, "..", "manifest.json");
  const text = await readFile(manifest, "utf8");
  for (const changed of [
    text.replace("http://", "file://"),
    text.replace(/"sha256": "[0-9a-f]{64}",\n *"members"/, '"sha256": "0", "members"'),
    text.replace("bin/ctr", "\\"),
    text.replace('\\"ctr\\"', '\\"other\\"'),
    text.replace(/"notes": {[^}]*}/, '"notes": {}'),
  ]) {
    expect(changed).not.toBe(text);
    await writeFile(manifest, changed);
    expect(await originOf(path)).toBeUndefined();
  }
  expect(await originOf(join(cache, "absent", "ctr"))).toBeUndefined();
});

test("asks the mirror nothing the second time", async () => {
  expect(await cachedArtifacts(request())).toBeUndefined();
  const first = await obtain();
  const asked = mirror.asked.length;
  const second = await obtain();
  expect(mirror.asked).toHaveLength(asked);
  expect(second.binaries).toEqual(first.binaries);
});

test("refuses a file with a wrong checksum, reports the file and both checksums, and keeps nothing", async () => {
  const forged = Buffer.from("forged");
  mirror.replace(kubelet.url, forged);
  const error = await obtain().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StepError);
  expect(String(error)).toContain("/dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet");
  expect(String(error)).toContain(sha256(forged));
  expect(String(error)).toContain(sha256(Buffer.from("program kubelet")));
  expect(await leftovers()).toEqual([]);
});

test("refuses a truncated download by its checksum", async () => {
  mirror.misbehave(kubelet.url, shortened);
  await expect(obtain()).rejects.toThrow(/kubelet failed: its sha256 is/);
  expect(await leftovers()).toEqual([]);
});

test("retries after a broken connection", async () => {
  mirror.misbehave(kubelet.url, truncated, status(503));
  await expect(obtain()).resolves.toBeDefined();
});

test("gives up after three broken connections", async () => {
  mirror.misbehave(kubelet.url, truncated, truncated, truncated, truncated);
  await expect(obtain()).rejects.toThrow(/kubelet failed: .*\(3 attempts\)/);
  expect(mirror.asked.filter((path) => path.endsWith("/kubelet"))).toHaveLength(3);
});

test("fails without retries, with the URL, when the mirror does not have a file", async () => {
  mirror.misbehave(containerd.url, status(404), status(404));
  await expect(obtain()).rejects.toThrow(
    /github\.com\/containerd\/.*the server returned HTTP 404; check that the mirror at .* is up/,
  );
  expect(mirror.asked.filter((path) => path.endsWith("containerd-static-2.4.2-linux-amd64.tar.gz"))).toHaveLength(1);
});

test("does not repeat downloads that succeeded before a failure", async () => {
  mirror.misbehave(containerd.url, status(404));
  await expect(obtain()).rejects.toThrow(/404/);
  const kept = (await readdir(join(cache, "artifacts"))).flatMap((key) =>
    fetches.filter((fetch) => key.startsWith(`${fetch.name}-`)),
  );
  await obtain();
  // Three downloads run in parallel and containerd is the fifth, so at least two were complete.
  expect(kept.length).toBeGreaterThanOrEqual(2);
  for (const fetch of kept)
    expect(mirror.asked.filter((path) => path.endsWith(new URL(fetch.url).pathname))).toHaveLength(1);
});

test("refuses a checksum file that does not name the download", async () => {
  mirror.replace(kubelet.checksum, Buffer.from("<html>please log in</html>"));
  await expect(obtain()).rejects.toThrow(/kubelet\.sha256 does not list its sha256/);
});

test("names a mirror that is down", async () => {
  const gone = await Mirror.start([]);
  const source = gone.url;
  await gone.stop();
  const down = obtainArtifacts({ ...request(), source }, silent, never);
  await expect(down).rejects.toThrow(
    /download http:\/\/127\.0\.0\.1:\d+\/.*ECONNREFUSED.*check that the mirror at .* is up/,
  );
});

test("refuses an archive without the program", async () => {
  const content = await archive([["ctr", "bin/ctr"]]);
  mirror.replace(containerd.url, content);
  mirror.replace(containerd.checksum, Buffer.from(`${sha256(content)}  ${containerd.url.split("/").pop()}`));
  await expect(obtain()).rejects.toThrow(/the archive does not contain containerd, containerd-shim-runc-v2/);
});

test("also checks the pinned checksum", async () => {
  const pinned = { ...kubelet, pinned: "0".repeat(64) };
  const fetching = downloadAll(new Cache(), [pinned], { kind: "mirror", url: mirror.url }, silent, never);
  await expect(fetching).rejects.toThrow(/versions\.yaml requires 0{64}/);
});

test("gives up on a server that stops sending", async () => {
  mirror.misbehave(kubelet.url, silence, silence, silence);
  const url = `${mirror.url}/dl.k8s.io${new URL(kubelet.url).pathname}`;
  const waiting = downloadTo(url, join(cache, "file"), { signal: never, idleTimeout: 0.05, action: "look at it" });
  await expect(waiting).rejects.toThrow(/no data received for 0\.05 s \(3 attempts\); look at it/);
});

test("an abort ends a download", async () => {
  const controller = new AbortController();
  mirror.misbehave(kubelet.url, () => controller.abort(new Error("stopped")));
  await expect(obtainArtifacts(request(), silent, controller.signal)).rejects.toThrow("stopped");
  expect(await leftovers()).toEqual([]);
});
