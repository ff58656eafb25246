import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PLAIN } from "../../../artifacts/compress";
import { sha256Of } from "../../../artifacts/hash";
import { writeLayer, type Layer } from "../../../artifacts/layer";
import { writeArchive, type Image } from "../../../artifacts/oci";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "oci-test-"));
  await writeFile(join(folder, "binary"), "#!/bin/true\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function layer(name: string, path: string): Promise<Layer> {
  return writeLayer(join(folder, name), PLAIN, async (writer) => {
    await writer.addFile(path, join(folder, "binary"));
    writer.addLink("/bin/link", path);
    writer.addText("/etc/passwd", "root:x:0:0::/:\n");
  });
}

async function images(): Promise<Image[]> {
  const shared = await layer("shared", "/opt/tool");
  const own = await layer("own", "/own");
  return [
    { ref: "registry.k8s.io/one:1.0", arch: "amd64", layers: [shared], run: { Entrypoint: ["/opt/tool"] } },
    { ref: "host:5000/two:v2", arch: "amd64", layers: [shared, own], run: { Cmd: ["sh"], User: "65535:65535" } },
  ];
}

async function membersOf(path: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const entries = extract();
  const reading = pipeline(Readable.from([await readFile(path)]), entries);
  for await (const entry of entries) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    found.set(entry.header.name, Buffer.concat(parts));
  }
  await reading;
  return found;
}

test("equal layers have equal bytes, whenever they are written", async () => {
  const made = await layer("layer", "/opt/tool");
  expect(made.digest).toBe(`sha256:${await sha256Of(made.path)}`);
  expect(made.diffId).toBe(made.digest);
  // Golden: a change here means that every cached image is built and shipped again.
  expect(made.digest).toBe("sha256:c710d43b3d2750128844c30739fa818f4d1b507176f0ec841c762fb4a30957fc");
});

test("equal archives have equal bytes, whenever they are written", async () => {
  await writeArchive(join(folder, "a.tar"), await images());
  await writeArchive(join(folder, "b.tar"), await images());
  expect(await sha256Of(join(folder, "a.tar"))).toBe(await sha256Of(join(folder, "b.tar")));
  expect(await sha256Of(join(folder, "a.tar"))).toBe(
    "bd4c94419731f5a87f1a7ee16cd2102b30b8b620518aa123acd4aefcab2a0faa",
  );
});

test("the index names every image for containerd, and a shared layer is stored once", async () => {
  const path = join(folder, "a.tar");
  await writeArchive(path, await images());
  const members = await membersOf(path);
  const index = JSON.parse(String(members.get("index.json"))) as {
    manifests: { digest: string; size: number; annotations: Record<string, string> }[];
  };
  expect(index.manifests.map((one) => one.annotations)).toEqual([
    { "io.containerd.image.name": "registry.k8s.io/one:1.0", "org.opencontainers.image.ref.name": "1.0" },
    { "io.containerd.image.name": "host:5000/two:v2", "org.opencontainers.image.ref.name": "v2" },
  ]);
  // 2 layers, 2 configurations, 2 manifests.
  expect([...members.keys()].filter((name) => name.startsWith("blobs/sha256/"))).toHaveLength(6);
});

test("every descriptor refers to a blob of its size and digest", async () => {
  const path = join(folder, "a.tar");
  await writeArchive(path, await images());
  const members = await membersOf(path);
  const blob = (one: { digest: string }): Buffer =>
    members.get(`blobs/${one.digest.replace(":", "/")}`) ?? Buffer.alloc(0);
  const index = JSON.parse(String(members.get("index.json"))) as { manifests: { digest: string; size: number }[] };
  const manifests = index.manifests.map(
    (one) =>
      JSON.parse(String(blob(one))) as {
        config: { digest: string; size: number };
        layers: { digest: string; size: number }[];
      },
  );
  const descriptors = [...index.manifests, ...manifests.flatMap((manifest) => [manifest.config, ...manifest.layers])];
  expect(descriptors).toHaveLength(7);
  for (const one of descriptors) {
    expect(blob(one).length).toBe(one.size);
    expect(`sha256:${createHash("sha256").update(blob(one)).digest("hex")}`).toBe(one.digest);
  }
});

test("an archive for Docker has a manifest.json that refers to the same blobs", async () => {
  const path = join(folder, "a.tar");
  await writeArchive(path, await images(), { forDocker: true });
  const members = await membersOf(path);
  const list = JSON.parse(String(members.get("manifest.json"))) as {
    Config: string;
    RepoTags: string[];
    Layers: string[];
  }[];
  expect(list.map(({ RepoTags, Layers }) => [RepoTags, Layers.length])).toEqual([
    [["registry.k8s.io/one:1.0"], 1],
    [["host:5000/two:v2"], 2],
  ]);
  for (const { Config, Layers } of list) {
    const { rootfs } = JSON.parse(String(members.get(Config))) as { rootfs: { diff_ids: string[] } };
    const digests = Layers.map(
      (name) =>
        `sha256:${createHash("sha256")
          .update(members.get(name) ?? "")
          .digest("hex")}`,
    );
    expect(digests).toEqual(rootfs.diff_ids); // these layers are not compressed
  }
  expect(JSON.parse(String(members.get("index.json")))).toMatchObject({ manifests: [{}, {}] });
});

test("an unreadable file fails the layer, instead of blocking it", async () => {
  const broken = writeLayer(join(folder, "broken"), PLAIN, (writer) => writer.addFile("/x", join(folder, "absent")));
  await expect(broken).rejects.toThrow(/ENOENT/);
});
