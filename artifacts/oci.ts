import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import type { Layer } from "./layer";
import type { Arch } from "./versions";

/** What a container of the image runs; names as in an OCI image configuration. */
export interface RunConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  User?: string;
  WorkingDir?: string;
}

export interface Image {
  /** registry.k8s.io/pause:3.10.2 */
  ref: string;
  arch: Arch;
  layers: readonly Layer[];
  run: RunConfig;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

type Blob = { bytes: Buffer } | { path: string; size: number };

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const EPOCH = new Date(0);

export interface ArchiveOptions {
  /** Also with the list that `docker load` wants, which reads OCI's only since Docker 25. Its layers may not be zstd then. @default false */
  forDocker?: boolean;
}

/**
 * Writes images as one tar in OCI image layout, each blob once, which `ctr images import` takes.
 * Equal images give equal bytes: nothing in it says when it was made, and blobs go by digest.
 */
export async function writeArchive(
  path: string,
  images: readonly Image[],
  { forDocker = false }: ArchiveOptions = {},
): Promise<void> {
  const blobs = new Map<string, Blob>();
  const added = images.map((image) => addImage(blobs, image));
  const lists = {
    "index.json": json({ schemaVersion: 2, mediaType: INDEX, manifests: added.map(({ manifest }) => manifest) }),
    ...(forDocker ? { "manifest.json": json(added.map(({ docker }) => docker)) } : {}),
  };
  const tar = pack();
  const writing = writeLayout(tar, blobs, lists);
  // A failed write would leave the pipeline waiting for more: it is ended with the same error.
  writing.catch((error: Error) => tar.destroy(error));
  await Promise.all([writing, pipeline(tar, createWriteStream(path))]);
}

async function writeLayout(tar: Pack, blobs: Map<string, Blob>, lists: Record<string, Buffer>): Promise<void> {
  tar.entry(header("oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  for (const [name, list] of Object.entries(lists)) tar.entry(header(name), list);
  for (const digest of [...blobs.keys()].sort()) await writeBlob(tar, blobPath(digest), blobs.get(digest) as Blob);
  tar.finalize();
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

async function writeBlob(tar: Pack, name: string, blob: Blob): Promise<void> {
  if ("bytes" in blob) {
    tar.entry(header(name), blob.bytes);
    return;
  }
  await pipeline(
    createReadStream(blob.path, { highWaterMark: 1 << 20 }),
    tar.entry({ ...header(name), size: blob.size }),
  );
}

function header(name: string) {
  return { name, mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", mtime: EPOCH, type: "file" as const };
}

/** Docker's own list of an archive: https://github.com/moby/docker-image-spec */
interface DockerEntry {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

function addImage(blobs: Map<string, Blob>, image: Image): { manifest: object; docker: DockerEntry } {
  const platform = { architecture: image.arch, os: "linux" };
  const config = addBytes(blobs, CONFIG, {
    ...platform,
    config: { Env: [PATH], ...image.run },
    rootfs: { type: "layers", diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map(() => ({ created_by: "kubewright" })),
  });
  const layers = image.layers.map((layer) => addLayer(blobs, layer));
  const manifest = addBytes(blobs, MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers });
  const docker = {
    Config: blobPath(config.digest),
    RepoTags: [image.ref],
    Layers: layers.map(({ digest }) => blobPath(digest)),
  };
  return { manifest: { ...manifest, platform, annotations: annotations(image.ref) }, docker };
}

/** The first is what containerd names the image; the second is the layout's own, which other tools read. */
function annotations(ref: string): Record<string, string> {
  return { "io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref.slice(ref.lastIndexOf(":") + 1) };
}

function addLayer(blobs: Map<string, Blob>, layer: Layer): Descriptor {
  blobs.set(layer.digest, { path: layer.path, size: layer.size });
  return { mediaType: layer.mediaType, digest: layer.digest, size: layer.size };
}

function addBytes(blobs: Map<string, Blob>, mediaType: string, value: object): Descriptor {
  const bytes = json(value);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  blobs.set(digest, { bytes });
  return { mediaType, digest, size: bytes.length };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
