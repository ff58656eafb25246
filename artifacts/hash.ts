import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Returns the SHA-256 of a file in hex. Streams the file, so its size does not matter. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Returns a short hash of a recipe. The order of properties matters. */
export function recipeHash(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

/** Returns a stream that passes data on and adds it to `hash`. Calls `onData` for each chunk. */
export function hashStream(hash: Hash, onData: () => void = () => undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onData();
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
