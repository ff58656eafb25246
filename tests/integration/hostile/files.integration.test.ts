import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fc } from "../../support/fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandLine } from "../../../common/quote";
import { inspectFiles, writeFiles, removeFiles, textFile } from "../../../provider/host/files";
import type { OutgoingFile } from "../../../provider/host/archive";
import { filePathSchema } from "../../../contracts/files";
import { filesResource } from "../../../provider/resources/files";
import { silentContext } from "../../support/context";
import { HOSTILE_TIMEOUT_MS, holds, hostileText, hostileWord } from "../../support/hostile";
import { startSshd, type Sshd } from "../../support/sshd";

const { signal } = new AbortController();
const instance = readFileSync("/etc/machine-id", "utf8").trim();
let sshd: Sshd;
const machine = () => silentContext.connections.get(sshd.connection());

beforeAll(async () => (sshd = await startSshd()), 60_000);
afterAll(async () => {
  machine().close();
  await sshd.stop();
});

/** A folder per case: a case that timed out must not write into the next one's. */
async function fresh(): Promise<string> {
  return await mkdtemp(join(sshd.folder, "files-"));
}

/** Hostile names that the schema accepts. The rejected ones are counted. */
const name = hostileText()
  .map((text) => text.replaceAll("/", ""))
  .filter((text) => filePathSchema.safeParse(`/${text}`).success);
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const mode = fc.constantFrom("0600", "0644", "0755", "400");

test(
  "every name that the schema accepts becomes a file of exactly that name",
  async () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    await holds(
      "files of any bytes through a real sshd",
      40,
      fc.asyncProperty(fc.array(fc.tuple(name, mode, bytes), { minLength: 1, maxLength: 8 }), async (given) => {
        const folder = await fresh();
        const wanted = new Map(given.map(([path, how, body]) => [`${folder}/${path}`, { how, body }]));
        const sources = await fresh();
        const source = (index: number) => join(sources, String(index));
        const files = await Promise.all(
          [...wanted].map(async ([path, { how, body }], index): Promise<OutgoingFile> => {
            await writeFile(source(index), body);
            return {
              path,
              mode: how,
              sha256: createHash("sha256").update(body).digest("hex"),
              size: body.length,
              body: { source: source(index) },
            };
          }),
        );
        await writeFiles(machine(), files, "a test", signal);
        expect((await readdir(folder)).sort()).toEqual(
          [...wanted.keys()].map((path) => path.slice(folder.length + 1)).sort(),
        );
        for (const [path, { how, body }] of wanted) {
          expect(Buffer.compare(await readFile(path), body)).toBe(0);
          expect((await stat(path)).mode & 0o777).toBe(parseInt(how, 8));
        }
        expect((await inspectFiles(machine(), [...wanted.keys()], signal)).size).toBe(wanted.size);
        expect(await writeFiles(machine(), files, "a test", signal)).toEqual([]);
        await removeFiles(machine(), [...wanted.keys()], "a test", signal);
        expect(await readdir(folder)).toEqual([]);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test(
  "writes any text, reads it back without drift, and removes it",
  async () => {
    await holds(
      "text files through the resource",
      30,
      fc.asyncProperty(fc.array(fc.tuple(place, hostileText()), { minLength: 1, maxLength: 4 }), async (given) => {
        const folder = await fresh();
        const files = Object.fromEntries(
          given.map(([path, content], index) => [`${folder}/${index}/${path}`, { content, mode: "0644" }]),
        );
        const inputs = { connection: sshd.connection(), instance, files };
        filesResource.contract.inputs.parse(inputs);
        await filesResource.create(silentContext, inputs);
        const read = await filesResource.read?.(silentContext, "id", { inputs, outputs: {} });
        expect(read?.inputs).toEqual(inputs);
        for (const [path, { content }] of Object.entries(files)) expect(await readFile(path, "utf8")).toBe(content);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test(
  "arguments reach the command unchanged through SSH, the login shell and the provider's wrapper",
  async () => {
    await holds(
      "arguments through a real sshd",
      40,
      fc.asyncProperty(fc.array(hostileWord(), { minLength: 1, maxLength: 10 }), async (words) => {
        const { stdout } = await machine().run(`printf '%s\\0' ${commandLine(words)}`, { step: "a test", signal });
        expect(stdout.split("\0").slice(0, -1)).toEqual(words);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test.each([
  "a",
  "/",
  "/a/",
  "//a",
  "/a/../b",
  "/a/./b",
  "/a\nb",
  "/a\u0000",
  "/a\u001b[31m",
  "/a\ud800",
  `/${"x".repeat(241)}`,
  `/${"x/".repeat(2100)}y`,
])("refuses the path %j", (path) => {
  expect(filePathSchema.safeParse(path).success).toBe(false);
});

test(
  "refuses more files than a command line can name, before it sends anything",
  async () => {
    const folder = await fresh();
    const files = Array.from({ length: 2000 }, (_, index) =>
      textFile(`${folder}/${"a-rather-long-name".repeat(5)}-${index}`, String(index), "0644"),
    );
    await expect(writeFiles(machine(), files, "a test", signal)).rejects.toThrow(
      /the command has \d+ KiB; Linux accepts 128 KiB/,
    );
    expect(await readdir(folder)).toEqual([]);
  },
  HOSTILE_TIMEOUT_MS,
);
