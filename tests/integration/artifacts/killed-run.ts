import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cache } from "../../../artifacts/cache";

/** Takes the entry's lock, writes half a file, reports it, and hangs until it is killed. */
const [root = ""] = process.argv.slice(2);
void new Cache({ root }).obtain({
  key: "tool-1.0.0-amd64-modules",
  label: "tool",
  progress: () => undefined,
  signal: new AbortController().signal,
  fill: async (folder) => {
    await writeFile(join(folder, "tool"), "hal");
    console.log("building");
    await new Promise(() => setInterval(() => undefined, 1000));
  },
});
