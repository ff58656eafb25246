import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { archiveFiles } from "../../../../provider/host/archive";
import { textFile } from "../../../../provider/host/files";

test("a reader that ends early ends the archive, and no error escapes to the process", async () => {
  const escaped: unknown[] = [];
  const onError = (error: unknown) => void escaped.push(error);
  process.on("uncaughtException", onError);
  try {
    const files = [1, 2, 3].map((n) => textFile(`/etc/big-${n}`, "x".repeat(1 << 20), "0644"));
    const reader = new Writable({ write: (_chunk, _encoding, done) => done() });
    const archive = archiveFiles(files).on("error", () => undefined);
    archive.pipe(reader);
    reader.destroy();
    await new Promise((resolve) => archive.on("close", resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(escaped).toEqual([]);
  } finally {
    process.removeListener("uncaughtException", onError);
  }
});
