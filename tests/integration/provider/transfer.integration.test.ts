import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { obtainArtifacts, type ArtifactSet } from "../../../artifacts";
import { planDownloads } from "../../../artifacts/official";
import { loadVersions } from "../../../artifacts/versions";
import { silent } from "../../../common/progress";
import type { Transfer } from "../../../common/transfer";
import { until } from "../../../common/wait";
import { binariesResource } from "../../../provider/resources/binaries";
import type { Context } from "../../../provider/rpc/handler";
import { Sources } from "../../../provider/transfer/sources";
import { testContext } from "../../support/context";
import { SshProxy } from "../../support/ssh-proxy";
import { startSshd, type Sshd } from "../../support/sshd";
import { Mirror, sha256, silence, truncated } from "../../unit/artifacts/mirror";

const downloads = planDownloads(loadVersions(), "1.36.3", "amd64");
const urlOf = (name: string) => downloads.find((download) => download.name === name)?.url ?? "";
const checksumOf = (name: string) => downloads.find((download) => download.name === name)?.checksum ?? "";
const KUBELET = randomBytes(3_000_000);
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const NAMES = ["kubelet", "ctr", "bridge"] as const;

let sshd: Sshd;
let proxy: SshProxy;
let mirror: Mirror;
let artifacts: ArtifactSet;
let folder: string;
let warnings: string[];
const contexts: Context[] = [];

beforeAll(async () => {
  sshd = await startSshd();
  proxy = await SshProxy.start(sshd.port);
  vi.stubEnv("KUBEWRIGHT_CACHE", join(sshd.folder, "cache"));
  vi.stubEnv("no_proxy", "127.0.0.1");
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy.stop();
  await sshd.stop();
});
beforeEach(async () => {
  folder = join(sshd.folder, "it's a folder");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  mirror = await Mirror.start(downloads);
  mirror.replace(urlOf("kubelet"), KUBELET);
  mirror.replace(checksumOf("kubelet"), Buffer.from(sha256(KUBELET)));
  artifacts = await obtainArtifacts(
    { source: mirror.url, kubernetes: "1.36.3", arch: "amd64" },
    silent,
    new AbortController().signal,
  );
  mirror.asked.length = 0;
  warnings = [];
});
afterEach(async () => {
  for (const context of contexts.splice(0)) context.connections.get(connection()).close();
  await mirror.stop();
});

const connection = () => ({ ...sshd.connection(), port: proxy.port });

function contextOf(transfer: Transfer, parts: Partial<Context> = {}, isNear = false): Context {
  const warn = (message: string) => void warnings.push(message);
  const context = testContext({ warn, sources: new Sources(() => isNear), ...parts }, { transfer });
  contexts.push(context);
  return context;
}

function inputs() {
  const files = NAMES.map((name) => [name, artifacts.binaries[name]] as const);
  return {
    connection: connection(),
    instance,
    files: Object.fromEntries(files.map(([name, { sha256: sum }]) => [join(folder, "bin", name), sum])),
    sources: Object.fromEntries(files.map(([, { sha256: sum, path }]) => [sum, path])),
  };
}

const create = (context: Context) => binariesResource.create(context, inputs());

async function expectInstalled(): Promise<void> {
  expect(await readdir(join(folder, "bin"))).toEqual([...NAMES].sort());
  expect(sha256(await readFile(join(folder, "bin", "kubelet")))).toBe(sha256(KUBELET));
  expect(await readFile(join(folder, "bin", "ctr"), "utf8")).toBe("program ctr");
  for (const name of NAMES) expect((await stat(join(folder, "bin", name))).mode & 0o7777).toBe(0o755);
  await expectNoLeftovers();
}

async function expectNoLeftovers(): Promise<void> {
  const kept = await readdir("/var/lib/kubewright").catch(() => []);
  expect(kept.filter((name) => name.startsWith("download"))).toEqual([]);
  expect((await readdir("/run")).filter((name) => name.startsWith("kubewright-download"))).toEqual([]);
}

async function expectNothing(): Promise<void> {
  expect(await readdir(join(folder, "bin"))).toEqual([]);
  await expectNoLeftovers();
}

const sent = () => proxy.links.reduce((sum, { bytes }) => sum + bytes.client, 0);

async function bytesOf(action: Promise<unknown>): Promise<number> {
  const before = sent();
  await action;
  return sent() - before;
}

describe("pull", () => {
  test("the machine downloads, and only a script leaves this computer", async () => {
    const pulled = await bytesOf(create(contextOf("pull")));
    await expectInstalled();
    expect(mirror.asked.map((path) => basename(path)).sort()).toEqual(
      ["kubelet", "containerd", "cni-plugins"].map((name) => basename(urlOf(name))).sort(),
    );
    expect(pulled).toBeLessThan(30_000);
    await rm(join(folder, "bin"), { recursive: true });
    expect(await bytesOf(create(contextOf("push")))).toBeGreaterThan(KUBELET.length);
    await expectInstalled();
  });

  test.each(["kubelet", "containerd"])("refuses %s with a wrong checksum, and leaves nothing", async (name) => {
    mirror.replace(urlOf(name), Buffer.from("forged"));
    await expect(create(contextOf("pull"))).rejects.toThrow(
      /^downloading binaries failed on sshd .*: its checksum is [0-9a-f]{64}, but [0-9a-f]{64} is published; check/s,
    );
    await expectNothing();
    expect(warnings).toEqual([]);
  });

  test("keeps the previous file where a download fails", async () => {
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin", "kubelet"), "old");
    mirror.misbehave(urlOf("kubelet"), truncated, truncated, truncated);
    await expect(create(contextOf("pull"))).rejects.toThrow(/kubelet: curl: \(18\).*set `transfer` to auto or push/s);
    expect(await readFile(join(folder, "bin", "kubelet"), "utf8")).toBe("old");
    await expectNoLeftovers();
  });

  test("leaves nothing where the connection is lost half way, and tries again", async () => {
    mirror.misbehave(urlOf("containerd"), truncated, truncated, truncated);
    await expect(create(contextOf("pull"))).rejects.toThrow(/containerd-static/);
    await expectNothing();
    mirror.misbehave(urlOf("containerd"), truncated);
    await create(contextOf("pull"));
    await expectInstalled();
  });

  test("an abort stops the download on the machine, and leaves nothing", async () => {
    const stop = new AbortController();
    mirror.misbehave(urlOf("kubelet"), silence);
    const creating = create(contextOf("pull", { signal: stop.signal })).catch((error: Error) => error.message);
    const isAsked = async () => mirror.asked.some((path) => path.endsWith("/kubelet")) || undefined;
    await until(isAsked, {
      signal: new AbortController().signal,
      timeout: 20,
      every: 50,
      onTimeout: () => new Error(),
    });
    stop.abort(new Error("stopped"));
    expect(await creating).toBe("stopped");
    await vi.waitFor(expectNothing, { timeout: 5_000 });
  });

  test("fails where the cache does not record the origin, and names the way out", async () => {
    const { path } = artifacts.binaries.ctr;
    await writeFile(join(dirname(path), "manifest.json"), "{}");
    await expect(create(contextOf("pull"))).rejects.toThrow(
      `does not record from where ${join(folder, "bin", "ctr")} can be downloaded; delete ${dirname(path)} and run`,
    );
    await create(contextOf("auto"));
    await expectInstalled();
    await rm(dirname(path), { recursive: true });
  });
});

describe("auto", () => {
  test("the machine downloads where it reaches the source, which it probes once", async () => {
    const context = contextOf("auto");
    await create(context);
    await rm(join(folder, "bin"), { recursive: true });
    await create(context);
    await expectInstalled();
    expect(mirror.asked).toHaveLength(1 + 3 + 3);
    expect(warnings).toEqual([]);
  });

  test("copies where the source is not reached", async () => {
    await mirror.stop();
    await create(contextOf("auto"));
    await expectInstalled();
    expect(warnings).toEqual([]);
    mirror = await Mirror.start([]);
  });

  test("copies to a machine in a network of this computer", async () => {
    await create(contextOf("auto", {}, true));
    await expectInstalled();
    expect(mirror.asked).toEqual([]);
  });

  test("copies with a warning where a download fails, and does not try again in this run", async () => {
    mirror.replace(urlOf("kubelet"), Buffer.from("forged"));
    const context = contextOf("auto");
    await create(context);
    await expectInstalled();
    expect(warnings).toEqual([
      expect.stringMatching(/^sshd .* could not download its binaries, so this computer copies them: .*is published/),
    ]);
    const asked = mirror.asked.length;
    await rm(join(folder, "bin"), { recursive: true });
    await create(context);
    expect(mirror.asked).toHaveLength(asked);
  });
});

describe("programs of the machine", () => {
  /** Programs of this computer without some of them. */
  async function machineWithout(...missing: string[]): Promise<Sshd> {
    const programs = join(sshd.folder, `without-${missing.join("-")}`);
    await mkdir(programs, { recursive: true });
    for (const from of ["/usr/bin", "/usr/sbin"])
      for (const name of await readdir(from))
        if (!missing.includes(name)) await symlink(join(from, name), join(programs, name)).catch(() => undefined);
    return await startSshd({ environment: { PATH: programs } });
  }

  async function createOn(machine: Sshd, context: Context): Promise<void> {
    try {
      await binariesResource.create(context, { ...inputs(), connection: machine.connection() });
    } finally {
      context.connections.get(machine.connection()).close();
      await machine.stop();
    }
  }

  test("wget downloads where there is no curl, and follows redirects", async () => {
    mirror.misbehave(
      urlOf("kubelet"),
      (response) => void response.writeHead(302, { location: `${mirror.url}/elsewhere/kubelet` }).end(),
    );
    mirror.replace("http://elsewhere/kubelet", KUBELET);
    mirror.misbehave(urlOf("containerd"), truncated);
    await createOn(await machineWithout("curl"), contextOf("pull"));
    await expectInstalled();
  });

  test("without both, pull fails and auto copies", async () => {
    await expect(createOn(await machineWithout("curl", "wget"), contextOf("pull"))).rejects.toThrow(
      /neither curl nor wget is installed/,
    );
    await expectNothing();
    await createOn(await machineWithout("curl", "wget"), contextOf("auto"));
    await expectInstalled();
    expect(warnings).toEqual([]);
  });
});
