import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** sha256 of a file's content, in hexadecimal; streams, so size does not matter. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** A short name for a recipe: equal recipes, equal names. Property order counts. */
export function recipeHash(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

/** Passes everything on and hashes it on the way; `beat` is called for each piece. */
export function hashing(hash: Hash, beat: () => void = () => undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      beat();
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
