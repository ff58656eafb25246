import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import type { Layer } from "./layer";
import type { Arch } from "./versions";

/** The command and user of an image's containers, in the names of the OCI image configuration. */
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
  /**
   * Adds the manifest for `docker load`, which reads OCI's index only since Docker 25. Layers must not be zstd then.
   * @default false
   */
  forDocker?: boolean;
}

/**
 * Writes images as one tar in OCI image layout for `ctr images import`, each blob once. Equal images give equal bytes:
 * the tar contains no creation time, and blobs are sorted by digest.
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
  // Otherwise the pipeline waits forever for more data after a failed write.
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

/** An image in Docker's manifest.json. Source: https://github.com/moby/docker-image-spec */
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

/** Annotations with the image's name: containerd reads the first, and other tools the second, which OCI defines. */
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
