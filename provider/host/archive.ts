import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { ARRIVING_SUFFIX } from "../../contracts/files";

/** A file to write to a machine. Its body is text, or a file on the computer that runs the provider. */
export interface OutgoingFile {
  path: string;
  /** Octal: `0644`. */
  mode: string;
  sha256: string;
  /** Bytes. */
  size: number;
  body: string | { source: string };
}

/**
 * Returns a tar archive of the files as a stream, each under a temporary name beside its path.
 * If the reader ends early, for example because the remote `tar` failed, the stream emits no error: the reader reports
 * the cause.
 */
export function archiveFiles(files: readonly OutgoingFile[]): Readable {
  const archive = pack();
  addFiles(archive, files).then(
    () => archive.finalize(),
    (error: Error) => archive.destroy(error),
  );
  return archive as unknown as Readable;
}

async function addFiles(archive: Pack, files: readonly OutgoingFile[]): Promise<void> {
  for (const file of files) {
    const header = {
      name: `${file.path.slice(1)}${ARRIVING_SUFFIX}`,
      size: file.size,
      mode: parseInt(file.mode, 8),
      uid: 0,
      gid: 0,
    };
    if (typeof file.body === "string") addText(archive, header, file.body);
    else await pipeline(createReadStream(file.body.source, { highWaterMark: 1 << 20 }), archive.entry(header));
  }
}

/** Adds a text. The listener is needed: an incomplete entry emits its own error, which would end the process. */
function addText(archive: Pack, header: Parameters<Pack["entry"]>[0], text: string): void {
  archive.entry(header, text).on("error", () => undefined);
}
