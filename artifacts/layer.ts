import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack, type Header, type Pack } from "tar-stream";
import { createCompressor, type Compression } from "./compress";
import { hashStream } from "./hash";

/** An image layer: a compressed tar file. Digests are `sha256:<hex>`, the size is in bytes. */
export interface Layer {
  path: string;
  digest: string;
  size: number;
  /** Digest of the uncompressed tar, for the image configuration. */
  diffId: string;
  mediaType: string;
}

/** Layers carry no creation time, so that equal content gives equal bytes. */
const EPOCH = new Date(0);

/** Writes the tar of a layer, including the parent folders of each file. */
export class LayerWriter {
  private readonly tar: Pack = pack();
  private readonly folders = new Set<string>();

  addFolder(path: string, mode = 0o755): void {
    const name = clean(path);
    if (name === "" || this.folders.has(name)) return;
    this.addParent(name);
    this.folders.add(name);
    this.tar.entry(header({ name: `${name}/`, mode, type: "directory" }));
  }

  addLink(path: string, target: string): void {
    const name = clean(path);
    this.addParent(name);
    this.tar.entry(header({ name, mode: 0o777, type: "symlink", linkname: target }));
  }

  addHardLink(path: string, target: string): void {
    const name = clean(path);
    this.addParent(name);
    this.tar.entry(header({ name, mode: 0o755, type: "link", linkname: clean(target) }));
  }

  addText(path: string, content: string, mode = 0o644): void {
    const name = clean(path);
    this.addParent(name);
    this.tar.entry(header({ name, mode, type: "file" }), content);
  }

  async addFile(path: string, source: string, mode = 0o755): Promise<void> {
    const { size } = await stat(source);
    await this.addStream(path, createReadStream(source, { highWaterMark: 1 << 20 }), size, mode);
  }

  async addStream(path: string, content: AsyncIterable<unknown>, size: number, mode: number): Promise<void> {
    const name = clean(path);
    this.addParent(name);
    await pipeline(content, this.tar.entry(header({ name, mode, type: "file", size })));
  }

  finish(): void {
    this.tar.finalize();
  }

  get output(): Pack {
    return this.tar;
  }

  private addParent(name: string): void {
    const parent = dirname(name);
    if (parent !== ".") this.addFolder(parent);
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

/** Writes a layer to the file `path`, with the files that `write` adds. */
export async function writeLayer(
  path: string,
  compression: Compression,
  write: (layer: LayerWriter) => Promise<void>,
): Promise<Layer> {
  const writer = new LayerWriter();
  const [plain, packed] = [createHash("sha256"), createHash("sha256")];
  const compressor = await createCompressor(compression);
  const writing = write(writer).then(() => writer.finish());
  // Otherwise the pipeline waits forever for more data after a failed write.
  writing.catch((error: Error) => writer.output.destroy(error));
  const draining = pipeline(writer.output, hashStream(plain), compressor, hashStream(packed), createWriteStream(path));
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
