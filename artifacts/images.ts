import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../common/progress";
import type { Runtime } from "../common/runtime";
import { fileOf, type Cache, type Entry, type LocalFile } from "./cache";
import { GZIP, bestCompression, type Compression } from "./compress";
import { recipeHash } from "./hash";
import { makeLayer, type Layer } from "./layer";
import { writeArchive, type Image, type RunConfig } from "./oci";
import { layerOf, obtainUserland, userlandKey, type UserlandName } from "./userland";
import { kubeadmImagesOf, type Arch, type Versions } from "./versions";

/** An OCI-layout tar for `ctr -n k8s.io images import`, or one that `docker load` takes as well, and the images in it. */
export interface ImageArchive extends LocalFile {
  refs: string[];
}

export type ArchiveName = "worker" | "control-plane" | "extras";

/** An image put together here: a userland or none, and our binaries at their paths. */
export interface ImageSpec {
  ref: string;
  base?: UserlandName;
  /** Path in the image -> binary's name. */
  files: Record<string, string>;
  /** Path in the image -> where it leads. */
  links?: Record<string, string>;
  run: RunConfig;
}

export interface ImageRefs {
  pause: string;
  coredns: string;
  flannel: string;
  etcd: string;
  kubeProxy: string;
  apiserver: string;
  controllerManager: string;
  scheduler: string;
  /** For examples: among the extras. */
  busybox: string;
}

const KUBERNETES = "registry.k8s.io";
const E2E = `${KUBERNETES}/e2e-test-images`;

/**
 * The images' names. Pulled ones carry the etcd and CoreDNS versions that kubeadm of this version names, since those are sure to be
 * published; ours carry the versions that we build.
 */
export function imageRefs(versions: Versions, kubernetes: string, made: boolean): ImageRefs {
  const kubeadm = kubeadmImagesOf(versions, kubernetes);
  const { etcd, coredns, flannel, busybox } = versions.components;
  return {
    pause: `${KUBERNETES}/pause:${kubeadm.pause}`,
    coredns: `${KUBERNETES}/coredns/coredns:${made ? `v${coredns.version}` : kubeadm.coredns}`,
    flannel: `ghcr.io/flannel-io/flannel:v${flannel.version}`,
    etcd: `${KUBERNETES}/etcd:${made ? (etcd.imageTag ?? etcd.version) : kubeadm.etcd}`,
    kubeProxy: `${KUBERNETES}/kube-proxy:v${kubernetes}`,
    apiserver: `${KUBERNETES}/kube-apiserver:v${kubernetes}`,
    controllerManager: `${KUBERNETES}/kube-controller-manager:v${kubernetes}`,
    scheduler: `${KUBERNETES}/kube-scheduler:v${kubernetes}`,
    busybox: `${E2E}/busybox:${busybox.imageTag}`,
  };
}

/** What a node of each kind runs. The control plane's list is in addition to the worker's: only pause is in both. */
export function refsFor(refs: ImageRefs): { worker: string[]; controlPlane: string[] } {
  return {
    worker: [refs.pause, refs.kubeProxy, refs.flannel, refs.coredns],
    controlPlane: [refs.pause, refs.apiserver, refs.controllerManager, refs.scheduler, refs.etcd],
  };
}

export function imageSpecs(versions: Versions, kubernetes: string): Record<ArchiveName, ImageSpec[]> {
  const refs = imageRefs(versions, kubernetes, true);
  const { agnhost } = versions.components;
  const pause: ImageSpec = {
    ref: refs.pause,
    files: { "/pause": "pause" },
    run: { Entrypoint: ["/pause"], User: "65535:65535" },
  };
  return {
    worker: [
      pause,
      program(refs.kubeProxy, "/usr/local/bin/kube-proxy", "kube-proxy", "net"),
      program(refs.flannel, "/opt/bin/flanneld", "flanneld", "net"),
      program(refs.coredns, "/coredns", "coredns"),
    ],
    "control-plane": [
      pause,
      program(refs.apiserver, "/usr/local/bin/kube-apiserver", "kube-apiserver"),
      program(refs.controllerManager, "/usr/local/bin/kube-controller-manager", "kube-controller-manager"),
      program(refs.scheduler, "/usr/local/bin/kube-scheduler", "kube-scheduler"),
      {
        ref: refs.etcd,
        files: { "/usr/local/bin/etcd": "etcd", "/usr/local/bin/etcdctl": "etcdctl" },
        run: { Entrypoint: ["/usr/local/bin/etcd"] },
      },
    ],
    extras: [
      {
        ref: `${E2E}/agnhost:${agnhost.imageTag}`,
        base: "tools",
        files: { "/agnhost": "agnhost" },
        // One of Kubernetes' tests starts it by this name.
        links: { "/agnhost-2": "agnhost" },
        run: { Entrypoint: ["/agnhost"], Cmd: ["pause"] },
      },
      { ref: refs.busybox, base: "busybox", files: {}, run: { Cmd: ["sh"] } },
    ],
  };
}

function program(ref: string, path: string, binary: string, base?: UserlandName): ImageSpec {
  return { ref, base, files: { [path]: binary }, run: { Entrypoint: [path] } };
}

export interface ArchiveRequest {
  name: ArchiveName;
  specs: readonly ImageSpec[];
  kubernetes: string;
  arch: Arch;
  /** Whose form the archive has. */
  runtime: Runtime;
  /** At least those that the specs name. */
  binaries: Readonly<Record<string, LocalFile>>;
}

/** Raised when the way archives are put together changes, so that cached ones are made anew. */
const EDITION = 1;

/** The archive if it is in the cache. */
export async function findArchive(cache: Cache, request: ArchiveRequest): Promise<ImageArchive | undefined> {
  const compression = await compressionFor(request.runtime);
  const bases: Layer[] = [];
  for (const name of basesOf(request.specs)) {
    const entry = await cache.find(await userlandKey(name, request.arch, compression));
    if (!entry) return undefined;
    bases.push(layerOf(entry));
  }
  const entry = await cache.find(archiveKey(request, bases, compression));
  return entry && toArchive(entry, request);
}

/** The archive from the cache, or put together now. Throws a StepError when a userland cannot be had. */
export async function obtainArchive(
  cache: Cache,
  request: ArchiveRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageArchive> {
  const { name, specs, kubernetes, arch, runtime } = request;
  const compression = await compressionFor(request.runtime);
  const bases = new Map<UserlandName, Layer>();
  for (const base of basesOf(specs))
    bases.set(base, await obtainUserland(cache, { name: base, arch, compression }, progress, signal));
  const entry = await cache.obtain({
    key: archiveKey(request, [...bases.values()], compression),
    what: `the ${name} images of Kubernetes ${kubernetes}`,
    progress,
    signal,
    fill: async (folder) => {
      const work = join(folder, "work");
      await mkdir(work);
      const images: Image[] = [];
      for (const [index, spec] of specs.entries()) {
        signal.throwIfAborted();
        progress(`packing ${name} images (${index + 1}/${specs.length}) ${spec.ref}`);
        images.push(await packImage(spec, request, join(work, `${index}`), bases, compression));
      }
      await writeArchive(join(folder, `${name}.tar`), images, { forDocker: runtime === "docker" });
      await rm(work, { recursive: true });
    },
  });
  return toArchive(entry, request);
}

async function packImage(
  spec: ImageSpec,
  request: ArchiveRequest,
  path: string,
  bases: Map<UserlandName, Layer>,
  compression: Compression,
): Promise<Image> {
  const base = spec.base && bases.get(spec.base);
  const layers = base ? [base] : [];
  if (Object.keys(spec.files).length > 0) layers.push(await packFiles(spec, request, path, compression));
  return { ref: spec.ref, arch: request.arch, layers, run: spec.run };
}

function packFiles(spec: ImageSpec, request: ArchiveRequest, path: string, compression: Compression): Promise<Layer> {
  return makeLayer(path, compression, async (layer) => {
    for (const [target, binary] of Object.entries(spec.files)) await layer.file(target, binaryOf(request, binary).path);
    for (const [target, to] of Object.entries(spec.links ?? {})) layer.link(target, to);
  });
}

function binaryOf(request: ArchiveRequest, name: string): LocalFile {
  const found = request.binaries[name];
  if (!found) throw new Error(`the ${request.name} images need ${name}, which was not built`);
  return found;
}

/** Docker Engine 20.10, which Debian 12 has, cannot read zstd. */
async function compressionFor(runtime: Runtime): Promise<Compression> {
  return runtime === "docker" ? GZIP : await bestCompression();
}

function basesOf(specs: readonly ImageSpec[]): UserlandName[] {
  return [...new Set(specs.flatMap((spec) => spec.base ?? []))];
}

function archiveKey(request: ArchiveRequest, bases: readonly Layer[], compression: Compression): string {
  const binaries = request.specs
    .flatMap((spec) => Object.values(spec.files))
    .map((name) => binaryOf(request, name).sha256);
  const form = request.runtime === "docker" ? ["docker"] : [];
  const recipe = recipeHash([EDITION, request.specs, binaries, bases.map((base) => base.digest), compression, ...form]);
  return ["images", request.name, request.kubernetes, request.arch, "modules", recipe].join("-");
}

function toArchive(entry: Entry, request: ArchiveRequest): ImageArchive {
  return { ...fileOf(entry, `${request.name}.tar`), refs: request.specs.map((spec) => spec.ref) };
}
