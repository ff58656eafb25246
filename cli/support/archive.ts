import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { stringify } from "yaml";
import type { Redactor } from "./redactor";

/** The texts of an archive by path. Every text passes the redactor. */
export class SupportFiles {
  readonly files = new Map<string, string>();

  constructor(private readonly redactor: Redactor) {}

  text(path: string, text: string): void {
    this.files.set(path, this.redactor.text(text));
  }

  json(path: string, value: unknown): void {
    this.text(path, `${JSON.stringify(this.redactor.value(value), undefined, 2)}\n`);
  }

  yaml(path: string, value: unknown): void {
    this.text(path, stringify(this.redactor.value(value)));
  }
}

/**
 * Writes the files as a tar.gz that only this user can read. The same library writes the archives for machines, so the
 * command needs no `tar` on this computer, and no folder with the files.
 * @param folder the one folder of the archive
 */
export async function writeArchive(path: string, folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const archive = pack();
  for (const [name, text] of files)
    archive.entry({ name: `${folder}/${name}`, mode: 0o600 }, text).on("error", () => undefined);
  archive.finalize();
  const target = createWriteStream(path, { mode: 0o600, flags: "wx" });
  const hasBegun = { value: false };
  target.once("open", () => (hasBegun.value = true));
  try {
    await pipeline(archive, createGzip(), target);
  } catch (error) {
    if (hasBegun.value) await rm(path, { force: true });
    throw error;
  }
}
