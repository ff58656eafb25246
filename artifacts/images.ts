import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../common/progress";
import type { Runtime } from "../common/runtime";
import type { ImageArchive, ImageRefs, LocalFile } from "../common/artifact-set";
import { fileOf, type Cache, type Entry } from "./cache";
import { GZIP, chooseCompression, type Compression } from "./compress";
import { recipeHash } from "./hash";
import { writeLayer, type Layer } from "./layer";
import { writeArchive, type Image, type RunConfig } from "./oci";
import { layerOf, obtainUserland, userlandKey, type UserlandName } from "./userland";
import { kubeadmImagesOf, type Arch, type KubeadmImages, type Versions } from "./versions";

export type ArchiveName = "worker" | "control-plane" | "extras";

/** An image that is assembled on the controller: an optional userland, and binaries at their paths. */
export interface ImageSpec {
  ref: string;
  base?: UserlandName;
  /** Path in the image to the binary's name. */
  files: Record<string, string>;
  /** Path in the image to the link's target. */
  links?: Record<string, string>;
  run: RunConfig;
}

const KUBERNETES = "registry.k8s.io";
const E2E = `${KUBERNETES}/e2e-test-images`;

/**
 * Returns the references of the images that nodes pull. etcd, CoreDNS and pause are those of this version's kubeadm,
 * which are certain to be published.
 */
export function pulledRefs(versions: Versions, kubernetes: string, kubeadm: KubeadmImages): ImageRefs {
  const { flannel, busybox } = versions.components;
  return {
    pause: `${KUBERNETES}/pause:${kubeadm.pause}`,
    coredns: `${KUBERNETES}/coredns/coredns:${kubeadm.coredns}`,
    flannel: `ghcr.io/flannel-io/flannel:v${flannel.version}`,
    etcd: `${KUBERNETES}/etcd:${kubeadm.etcd}`,
    kubeProxy: `${KUBERNETES}/kube-proxy:v${kubernetes}`,
    apiserver: `${KUBERNETES}/kube-apiserver:v${kubernetes}`,
    controllerManager: `${KUBERNETES}/kube-controller-manager:v${kubernetes}`,
    scheduler: `${KUBERNETES}/kube-scheduler:v${kubernetes}`,
    busybox: `${E2E}/busybox:${busybox.imageTag}`,
  };
}

/** Returns the references of images that are built on the controller. etcd and CoreDNS are those of versions.yaml. */
export function builtRefs(versions: Versions, kubernetes: string): ImageRefs {
  const { etcd, coredns } = versions.components;
  return pulledRefs(versions, kubernetes, {
    ...kubeadmImagesOf(versions, kubernetes),
    coredns: `v${coredns.version}`,
    etcd: etcd.imageTag ?? etcd.version,
  });
}

/** Returns the images by role. A control plane needs the workers' images too; only pause is in both lists. */
export function refsByRole(refs: ImageRefs): { worker: string[]; controlPlane: string[] } {
  return {
    worker: [refs.pause, refs.kubeProxy, refs.flannel, refs.coredns],
    controlPlane: [refs.pause, refs.apiserver, refs.controllerManager, refs.scheduler, refs.etcd],
  };
}

export function imageSpecs(versions: Versions, kubernetes: string): Record<ArchiveName, ImageSpec[]> {
  const refs = builtRefs(versions, kubernetes);
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
        // One of the Kubernetes tests starts the program by this name.
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
  /** The container runtime that loads the archive. */
  runtime: Runtime;
  /** Includes all binaries that the specs name. */
  binaries: Readonly<Record<string, LocalFile>>;
}

/** Increased when the archive format changes, so that cached archives are rebuilt. */
const FORMAT_VERSION = 1;

/** Returns the archive if it is in the cache. */
export async function findArchive(cache: Cache, request: ArchiveRequest): Promise<ImageArchive | undefined> {
  const compression = await chooseArchiveCompression(request.runtime);
  const bases: Layer[] = [];
  for (const name of basesOf(request.specs)) {
    const entry = await cache.find(await userlandKey(name, request.arch, compression));
    if (!entry) return undefined;
    bases.push(layerOf(entry));
  }
  const entry = await cache.find(archiveKey(request, bases, compression));
  return entry && toArchive(entry, request);
}

/**
 * Returns the archive, and creates it if the cache does not have it.
 * @throws StepError when a userland cannot be downloaded
 */
export async function obtainArchive(
  cache: Cache,
  request: ArchiveRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageArchive> {
  const { name, specs, kubernetes, arch, runtime } = request;
  const compression = await chooseArchiveCompression(request.runtime);
  const bases = new Map<UserlandName, Layer>();
  for (const base of basesOf(specs))
    bases.set(base, await obtainUserland(cache, { name: base, arch, compression }, progress, signal));
  const entry = await cache.obtain({
    key: archiveKey(request, [...bases.values()], compression),
    label: `the ${name} images of Kubernetes ${kubernetes}`,
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
  return writeLayer(path, compression, async (layer) => {
    for (const [target, binary] of Object.entries(spec.files))
      await layer.addFile(target, binaryOf(request, binary).path);
    for (const [link, target] of Object.entries(spec.links ?? {})) layer.addLink(link, target);
  });
}

function binaryOf(request: ArchiveRequest, name: string): LocalFile {
  const binary = request.binaries[name];
  if (!binary) throw new Error(`the ${request.name} images need ${name}, which was not built`);
  return binary;
}

/** Docker Engine 20.10 of Debian 12 cannot read zstd layers. */
async function chooseArchiveCompression(runtime: Runtime): Promise<Compression> {
  return runtime === "docker" ? GZIP : await chooseCompression();
}

function basesOf(specs: readonly ImageSpec[]): UserlandName[] {
  return [...new Set(specs.flatMap((spec) => spec.base ?? []))];
}

function archiveKey(request: ArchiveRequest, bases: readonly Layer[], compression: Compression): string {
  const binaries = request.specs
    .flatMap((spec) => Object.values(spec.files))
    .map((name) => binaryOf(request, name).sha256);
  const form = request.runtime === "docker" ? ["docker"] : [];
  const baseDigests = bases.map((base) => base.digest);
  const recipe = recipeHash([FORMAT_VERSION, request.specs, binaries, baseDigests, compression, ...form]);
  return ["images", request.name, request.kubernetes, request.arch, "modules", recipe].join("-");
}

function toArchive(entry: Entry, request: ArchiveRequest): ImageArchive {
  return { ...fileOf(entry, `${request.name}.tar`), refs: request.specs.map((spec) => spec.ref) };
}
