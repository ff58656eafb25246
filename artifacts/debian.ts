import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { StepError } from "../common/errors";
import { ask, reading, runGroup } from "./process";
import type { LayerWriter } from "./layer";

/**
 * Fetches Debian packages and all that they depend on into `folder`, installing nothing: apt is shown an empty machine
 * (a status file without a package) and told to download only. Needs package lists, no root. Returns the .deb files, sorted.
 */
export async function fetchPackages(names: readonly string[], folder: string, signal: AbortSignal): Promise<string[]> {
  const archives = join(folder, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  await writeFile(join(folder, "status"), "");
  const settings = [
    `Dir::State::status=${join(folder, "status")}`,
    `Dir::State::extended_states=${join(folder, "extended_states")}`,
    `Dir::Cache::archives=${archives}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    // Its locks guard the real machine, which we do not touch; its sandbox user cannot write to our folder.
    "Debug::NoLocking=1",
    ...(process.getuid?.() === 0 ? ["APT::Sandbox::User=root"] : []),
  ].flatMap((setting) => ["-o", setting]);
  await runGroup({
    program: "apt-get",
    words: [...settings, "install", "--download-only", "--no-install-recommends", "-y", "-qq", ...names],
    step: `fetch Debian packages (${names.join(", ")})`,
    action: "run apt-get update, then try again",
    signal,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  const found = (await readdir(archives)).filter((name) => name.endsWith(".deb")).sort();
  return found.map((name) => join(archives, name));
}

/** What a container needs of a package: programs, libraries, the name tables in /etc, and its licence. */
const KEEP =
  /^(usr\/(bin|sbin|lib|lib64)\/|etc\/(protocols|services|rpc|ethertypes|iproute2\/|nftables)|usr\/share\/doc\/[^/]+\/copyright$)/;
const DROP =
  /^usr\/lib\/((systemd|dpkg|tmpfiles\.d|sysusers\.d|usrmerge|apt|init|lsb)\/|[^/]+\/(gconv|perl|perl-base)\/)/;

/** Part of a layer's recipe: a change of the selection changes the layer. */
export const SELECTION = [KEEP.source, DROP.source];

/** Adds the files of packages to a layer; returns the paths that were put in. */
export async function addPackages(layer: LayerWriter, debs: readonly string[]): Promise<Set<string>> {
  const seen = new Set<string>();
  mergeUsr(layer);
  for (const deb of debs) await addPackage(layer, deb, seen);
  return seen;
}

/** Old packages ship /bin/x, new ones /usr/bin/x and expect /bin to lead there: with /usr merged both are right. */
function mergeUsr(layer: LayerWriter): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    layer.folder(`usr/${name}`);
    layer.link(name, `usr/${name}`);
  }
}

export function mergedPath(path: string): string {
  return path.replace(/^\.?\/+/, "").replace(/^(bin|sbin|lib|lib64)\//, "usr/$1/");
}

async function addPackage(layer: LayerWriter, deb: string, seen: Set<string>): Promise<void> {
  await eachEntry(deb, async (header, content) => {
    const path = mergedPath(header.name);
    if (header.type === "directory" || seen.has(path) || !KEEP.test(path) || DROP.test(path)) return false;
    seen.add(path);
    if (header.type === "symlink") layer.link(path, header.linkname);
    else if (header.type === "link") layer.hardLink(path, mergedPath(header.linkname));
    else {
      await layer.stream(path, content, header.size, header.mode);
      return true;
    }
    return false;
  });
}

type Entry = Parameters<LayerWriter["stream"]>[1];

/** Calls `visit` for each member of a package; it returns true when it has read the content. */
async function eachEntry(deb: string, visit: (header: Header, content: Entry) => Promise<boolean>): Promise<void> {
  const entries = extract();
  const feeding = pipeline(await reading("dpkg-deb", ["--fsys-tarfile", deb]), entries);
  const visiting = (async () => {
    for await (const entry of entries) {
      if (!(await visit(entry.header, entry))) entry.resume();
    }
  })();
  await Promise.all([feeding, visiting]);
}

/** The names that busybox answers to, asked of the packaged one: it is for this machine's architecture. */
export async function busyboxApplets(debs: readonly string[], folder: string): Promise<string[]> {
  const program = join(folder, "busybox");
  const deb = debs.find((path) => path.includes("/busybox-static_"));
  if (deb) {
    await eachEntry(deb, async (header, content) => {
      if (mergedPath(header.name) !== "usr/bin/busybox") return false;
      await pipeline(content, createWriteStream(program));
      return true;
    });
    await chmod(program, 0o755);
  }
  const said = await ask(program, ["--list"]);
  if (said) return said.split("\n").filter((name) => name !== "" && name !== "busybox");
  throw new StepError({
    step: "list busybox's programs",
    cause: "the packaged busybox does not run here",
    action: "use the official source or a mirror",
  });
}
