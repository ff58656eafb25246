import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { imagesResource } from "../../../../provider/resources/images";
import type { RunOptions } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const PROXY = "registry.k8s.io/kube-proxy:v1.36.3";
const PAUSE = "registry.k8s.io/pause:3.10";
const SHA = "a".repeat(64);
const RECORDS = "/var/lib/kubewright/images";

/** A machine with an image store. An archive is a text of references. */
class ImageMachine extends MemoryMachine {
  readonly refs = new Set<string>();
  readonly loaded = new Set<string>();
  readonly unpinned = new Set<string>();
  loads = 0;

  constructor() {
    super();
    this.on(/images ls -q|docker image ls/, () => [...this.refs, ...this.loaded].join("\n"));
    this.on(/images pull|docker pull/, (script) => {
      for (const ref of [PROXY, PAUSE]) if (script.includes(ref)) this.refs.add(ref);
      return "";
    });
    this.on(/previous-worker$/, (script) => {
      const labeled = /^for ref in (.*); do .*images label/m.exec(script)?.[1] ?? "";
      for (const ref of this.refs) if (labeled.includes(ref)) this.unpinned.add(ref);
      for (const sha256 of this.loaded) if (script.includes(`rm -f ${RECORDS}/${sha256}`)) this.loaded.delete(sha256);
      const content = /printf '%s\\n' '([^']+)'/.exec(script)?.[1] ?? "";
      this.files.set(`${RECORDS}/previous-worker`, { content, mode: "0644" });
      return "";
    });
    this.on(/images rm|docker image rm/, (script) => {
      for (const ref of [...this.refs]) if (script.includes(ref)) this.refs.delete(ref);
      if (script.includes("rm -rf /var/lib/kubewright/images")) this.loaded.clear();
      return "";
    });
  }

  override async run(script: string, options: RunOptions) {
    const result = await super.run(script, options);
    if (typeof options.stdin !== "function") return result;
    this.loads++;
    const sha256 = /touch \S+\/(\w+)/.exec(script)?.[1] ?? "";
    for (const ref of (await text(options.stdin())).split("\n")) this.refs.add(ref);
    this.loaded.add(sha256);
    return result;
  }
}

let folder: string;
let archive: string;
let machine: ImageMachine;
beforeEach(async () => {
  machine = new ImageMachine();
  folder = await mkdtemp(join(tmpdir(), "kubewright-images-"));
  archive = join(folder, "worker.tar");
  await writeFile(archive, `${PROXY}\n${PAUSE}`);
});
afterEach(() => rm(folder, { recursive: true }));

const archived = () => ({
  ...machine.target,
  archives: { worker: { sha256: SHA, refs: [PROXY, PAUSE] } },
  sources: { [SHA]: archive },
  pull: [],
});
const pulled = () => ({ ...machine.target, archives: {}, sources: {}, pull: [PROXY, PAUSE] });
type Images = Omit<ReturnType<typeof archived>, "archives" | "sources" | "pull"> & { runtime?: string };
const create = (inputs: Images) => imagesResource.create(machine.context(), inputs);
const read = async (inputs: Images) =>
  (await imagesResource.read!(machine.context(), "id", { inputs, outputs: {} }))?.inputs;

test("an archive is loaded once, and again after one of its images was removed", async () => {
  await create(archived());
  expect([...machine.refs]).toEqual([PROXY, PAUSE]);
  await create(archived());
  expect(machine.loads).toBe(1);
  machine.refs.delete(PAUSE);
  await create(archived());
  expect(machine.loads).toBe(2);
});

test("an archive is loaded where its images come from another archive", async () => {
  machine.refs.add(PROXY).add(PAUSE);
  await create(archived());
  expect(machine.loads).toBe(1);
});

test("an archive that was deleted from the cache fails the load with the next action", async () => {
  await rm(archive);
  await expect(create(archived())).rejects.toThrow(
    /loading the worker images failed on worker-1.*worker\.tar is not in the user's cache.*; run the command again/,
  );
  expect(machine.loads).toBe(0);
});

test("a failed load names the archive and what loading requires", async () => {
  machine.on(/images import/, () => ({ code: 1, stderr: "connection refused" }));
  await expect(create(archived())).rejects.toThrow(
    /loading the worker images failed on worker-1.*: connection refused; check that containerd runs/,
  );
});

test("only the missing images are pulled", async () => {
  machine.refs.add(PROXY);
  await create(pulled());
  const pulls = machine.scripts.filter((script) => script.includes("images pull"));
  expect(pulls).toEqual([expect.stringContaining(PAUSE)]);
});

test("a failed pull names the image and asks for the registry", async () => {
  machine.on(/images pull/, () => ({ code: 1, stderr: "no such host" }));
  await expect(create(pulled())).rejects.toThrow(
    /pulling registry\.k8s\.io\/kube-proxy:v1\.36\.3 failed on worker-1.*: no such host; check that the machine/,
  );
});

test("Docker pulls the images of nodes with Docker", async () => {
  await create({ ...pulled(), runtime: "docker" });
  expect(machine.scripts.filter((script) => script.includes("docker pull"))).toHaveLength(2);
});

test("a refresh reports removed images", async () => {
  await create(archived());
  expect(await read(archived())).toEqual(archived());
  machine.refs.delete(PROXY);
  expect(await read(archived())).toMatchObject({ archives: { worker: { sha256: SHA, refs: [PAUSE] } } });
  expect(await read(pulled())).toMatchObject({ pull: [PAUSE] });
});

test("a delete removes the images and the records of the loads, and leaves other images", async () => {
  await create(archived());
  machine.refs.add("docker.io/library/own:1");
  await imagesResource.delete!(machine.context(), "id", { inputs: archived(), outputs: {} });
  expect([...machine.refs]).toEqual(["docker.io/library/own:1"]);
  expect(machine.loaded.size).toBe(0);
});

/** The archive of a version of Kubernetes. The pause image is the same in all. */
async function archiveOf(version: number) {
  const sha256 = String(version).repeat(64);
  const refs = [`registry.k8s.io/kube-proxy:v1.36.${version}`, PAUSE];
  const file = join(folder, `${version}.tar`);
  await writeFile(file, refs.join("\n"));
  return { ...machine.target, archives: { worker: { sha256, refs } }, sources: { [sha256]: file }, pull: [] };
}

async function upgrade(from: number, to: number): Promise<void> {
  const old = { inputs: await archiveOf(from), outputs: {} };
  await imagesResource.update!(machine.context(), "id", await archiveOf(to), old);
}

test("the images of the version before the previous one are no longer pinned", async () => {
  await create(await archiveOf(1));
  await upgrade(1, 2);
  await upgrade(1, 2); // after an interruption
  expect([...machine.unpinned]).toEqual([]);
  await upgrade(2, 3);
  expect([...machine.unpinned]).toEqual(["registry.k8s.io/kube-proxy:v1.36.1"]);
  expect([...machine.loaded]).toEqual(["2".repeat(64), "3".repeat(64)]);
});

test("the images of the version that a machine returns to stay pinned", async () => {
  await create(await archiveOf(1));
  await upgrade(1, 2);
  await upgrade(2, 1);
  expect([...machine.unpinned]).toEqual([]);
  expect(machine.loaded.size).toBe(2);
});
