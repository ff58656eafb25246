import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { StepError } from "../common/errors";
import { readOutput, runCommand, streamOutput } from "../common/process";
import type { LayerWriter } from "./layer";

/**
 * Downloads Debian packages with all their dependencies into `folder` and returns the paths of the .deb files, sorted.
 * Installs nothing: apt gets an empty status file, so it resolves every dependency, and only downloads. Needs package
 * lists, but not root.
 */
export async function downloadPackages(
  names: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const archives = join(folder, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  await writeFile(join(folder, "status"), "");
  const settings = [
    `Dir::State::status=${join(folder, "status")}`,
    `Dir::State::extended_states=${join(folder, "extended_states")}`,
    `Dir::Cache::archives=${archives}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    // apt's locks protect the real system, which is not changed. apt's sandbox user cannot write to this folder.
    "Debug::NoLocking=1",
    ...(process.getuid?.() === 0 ? ["APT::Sandbox::User=root"] : []),
  ].flatMap((setting) => ["-o", setting]);
  await runCommand(
    "apt-get",
    [...settings, "install", "--download-only", "--no-install-recommends", "-y", "-qq", ...names],
    {
      step: `download Debian packages (${names.join(", ")})`,
      action: "run `apt-get update`, then try again",
      signal,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stopGroupWith: "SIGTERM",
    },
  );
  const packages = (await readdir(archives)).filter((name) => name.endsWith(".deb")).sort();
  return packages.map((name) => join(archives, name));
}

/** The parts of a package that a container needs: programs, libraries, name tables in /etc, and the license. */
const KEEP =
  // eslint-disable-next-line max-len -- a regular expression cannot be wrapped
  /^(usr\/(bin|sbin|lib|lib64)\/|etc\/(protocols|services|rpc|ethertypes|iproute2\/|nftables)|usr\/share\/doc\/[^/]+\/copyright$)/;
const DROP =
  /^usr\/lib\/((systemd|dpkg|tmpfiles\.d|sysusers\.d|usrmerge|apt|init|lsb)\/|[^/]+\/(gconv|perl|perl-base)\/)/;

/** The file selection as part of a layer's cache key: a different selection makes a different layer. */
export const SELECTION = [KEEP.source, DROP.source];

/** Adds the files of packages to a layer and returns their paths. */
export async function addPackages(layer: LayerWriter, debs: readonly string[]): Promise<Set<string>> {
  const added = new Set<string>();
  mergeUsr(layer);
  for (const deb of debs) await addPackage(layer, deb, added);
  return added;
}

/** Links /bin, /sbin and /lib into /usr. Old packages ship /bin/x; new ones ship /usr/bin/x and expect the link. */
function mergeUsr(layer: LayerWriter): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    layer.addFolder(`usr/${name}`);
    layer.addLink(name, `usr/${name}`);
  }
}

/** Returns the path of a package's file below a merged /usr: `./bin/x` becomes `usr/bin/x`. */
export function mergedPath(path: string): string {
  return path.replace(/^\.?\/+/, "").replace(/^(bin|sbin|lib|lib64)\//, "usr/$1/");
}

async function addPackage(layer: LayerWriter, deb: string, seen: Set<string>): Promise<void> {
  await forEachEntry(deb, async (header, content) => {
    const path = mergedPath(header.name);
    if (header.type === "directory" || seen.has(path) || !KEEP.test(path) || DROP.test(path)) return false;
    seen.add(path);
    if (header.type === "symlink") layer.addLink(path, header.linkname);
    else if (header.type === "link") layer.addHardLink(path, mergedPath(header.linkname));
    else {
      await layer.addStream(path, content, header.size, header.mode);
      return true;
    }
    return false;
  });
}

type Entry = Parameters<LayerWriter["addStream"]>[1];

/** Calls `visit` for each file of a package. `visit` returns true when it has consumed the content. */
async function forEachEntry(deb: string, visit: (header: Header, content: Entry) => Promise<boolean>): Promise<void> {
  const entries = extract();
  const feeding = pipeline(await streamOutput("dpkg-deb", ["--fsys-tarfile", deb]), entries);
  const visiting = (async () => {
    for await (const entry of entries) {
      if (!(await visit(entry.header, entry))) entry.resume();
    }
  })();
  await Promise.all([feeding, visiting]);
}

/** Lists busybox's applets by running the packaged busybox, which is built for the controller's architecture. */
export async function listApplets(debs: readonly string[], folder: string): Promise<string[]> {
  const program = join(folder, "busybox");
  const deb = debs.find((path) => path.includes("/busybox-static_"));
  if (deb) {
    await forEachEntry(deb, async (header, content) => {
      if (mergedPath(header.name) !== "usr/bin/busybox") return false;
      await pipeline(content, createWriteStream(program));
      return true;
    });
    await chmod(program, 0o755);
  }
  const applets = await readOutput(program, ["--list"]);
  if (applets) return applets.split("\n").filter((name) => name !== "" && name !== "busybox");
  throw new StepError({
    step: "list busybox applets",
    cause: "the busybox of the package busybox-static does not run on this computer",
    action: "set `source` to `official` or to the URL of a mirror",
  });
}
