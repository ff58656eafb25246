import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack, type Header, type Pack } from "tar-stream";
import { compressor, type Compression } from "./compress";
import { hashing } from "./hash";

/** A finished layer: a compressed tar in a file. Digests are `sha256:<hex>`, size in bytes. */
export interface Layer {
  path: string;
  digest: string;
  size: number;
  /** Digest of the tar before compression: what an image's configuration names. */
  diffId: string;
  mediaType: string;
}

/** Nothing in a layer says when or by whom it was made: equal content, equal bytes. */
const EPOCH = new Date(0);

/** Writes a layer's tar; makes the folders above each file by itself. */
export class LayerWriter {
  private readonly tar: Pack = pack();
  private readonly folders = new Set<string>();

  folder(path: string, mode = 0o755): void {
    const name = clean(path);
    if (name === "" || this.folders.has(name)) return;
    this.above(name);
    this.folders.add(name);
    this.tar.entry(header({ name: `${name}/`, mode, type: "directory" }));
  }

  link(path: string, target: string): void {
    const name = clean(path);
    this.above(name);
    this.tar.entry(header({ name, mode: 0o777, type: "symlink", linkname: target }));
  }

  hardLink(path: string, target: string): void {
    const name = clean(path);
    this.above(name);
    this.tar.entry(header({ name, mode: 0o755, type: "link", linkname: clean(target) }));
  }

  text(path: string, content: string, mode = 0o644): void {
    const name = clean(path);
    this.above(name);
    this.tar.entry(header({ name, mode, type: "file" }), content);
  }

  async file(path: string, source: string, mode = 0o755): Promise<void> {
    const { size } = await stat(source);
    await this.stream(path, createReadStream(source, { highWaterMark: 1 << 20 }), size, mode);
  }

  async stream(path: string, content: AsyncIterable<unknown>, size: number, mode: number): Promise<void> {
    const name = clean(path);
    this.above(name);
    await pipeline(content, this.tar.entry(header({ name, mode, type: "file", size })));
  }

  finish(): void {
    this.tar.finalize();
  }

  get output(): Pack {
    return this.tar;
  }

  private above(name: string): void {
    const parent = dirname(name);
    if (parent !== ".") this.folder(parent);
  }
}

function clean(path: string): string {
  return posix
    .normalize(path)
    .replace(/^\/+|\/+$/g, "")
    .replace(/^\.$/, "");
}

function header(own: Partial<Header> & Pick<Header, "name">): Partial<Header> & Pick<Header, "name"> {
  return { uid: 0, gid: 0, uname: "", gname: "", mtime: EPOCH, ...own };
}

/** Makes a layer of what `write` puts in, in the file `path`. */
export async function makeLayer(
  path: string,
  compression: Compression,
  write: (layer: LayerWriter) => Promise<void>,
): Promise<Layer> {
  const writer = new LayerWriter();
  const [plain, packed] = [createHash("sha256"), createHash("sha256")];
  const squeeze = await compressor(compression);
  const writing = write(writer).then(() => writer.finish());
  // A failed write would leave the pipeline waiting for more: it is ended with the same error.
  writing.catch((error: Error) => writer.output.destroy(error));
  const draining = pipeline(writer.output, hashing(plain), squeeze, hashing(packed), createWriteStream(path));
  await Promise.all([writing, draining]);
  const { size } = await stat(path);
  return {
    path,
    digest: `sha256:${packed.digest("hex")}`,
    size,
    diffId: `sha256:${plain.digest("hex")}`,
    mediaType: compression.mediaType,
  };
}
