import { PassThrough, type Duplex } from "node:stream";
import { createGzip } from "node:zlib";
import { pipeThrough } from "../common/process";
import { isOnPath } from "./host-packages";

/** Compression of image layers. */
export interface Compression {
  kind: "zstd" | "gzip" | "none";
  mediaType: string;
}

const LAYER = "application/vnd.oci.image.layer.v1.tar";

export const PLAIN: Compression = { kind: "none", mediaType: LAYER };
export const GZIP: Compression = { kind: "gzip", mediaType: `${LAYER}+gzip` };
const ZSTD: Compression = { kind: "zstd", mediaType: `${LAYER}+zstd` };

/**
 * Chooses zstd where the program is installed, else gzip. zstd layers are smaller and unpack several times faster on
 * the node. Node.js 20 has no zstd of its own.
 */
export async function chooseCompression(): Promise<Compression> {
  return (await isOnPath("zstd")) ? ZSTD : GZIP;
}

/** Always multi-threaded: zstd's output differs between one thread and several, but not with the number of threads. */
const ZSTD_ARGS = ["-9", "-T0", "-q", "-c"];

export async function createCompressor(compression: Compression): Promise<Duplex> {
  if (compression.kind === "zstd") return pipeThrough("zstd", ZSTD_ARGS);
  return compression.kind === "gzip" ? createGzip({ level: 6 }) : new PassThrough();
}
