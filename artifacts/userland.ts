import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Progress } from "../common/progress";
import { fileOf, type Cache, type Entry } from "./cache";
import type { Compression } from "./compress";
import { SELECTION, addPackages, busyboxApplets, fetchPackages } from "./debian";
import { recipeHash } from "./hash";
import { distribution, ensureAptLists } from "./host-packages";
import { makeLayer, type Layer, type LayerWriter } from "./layer";
import type { Arch } from "./versions";

export type UserlandName = "net" | "tools" | "busybox";

interface Userland {
  packages: readonly string[];
  /** Where busybox's names go; those that a package brings already are left out. */
  applets: string;
  links: Record<string, string>;
  /** A program that stands in for `sh`. */
  shell?: string;
  /** Accounts and writable folders, for images that tests run all sorts of things in. */
  home: boolean;
}

/** update-alternatives has not run in an image: iptables is the nft one, as on Debian itself. */
const IPTABLES = Object.fromEntries(
  ["iptables", "ip6tables"].flatMap((name) =>
    ["", "-save", "-restore"].map((end) => [`usr/sbin/${name}${end}`, "xtables-nft-multi"]),
  ),
);

const USERLANDS: Record<UserlandName, Userland> = {
  // What kube-proxy and flannel call, in every mode that they have.
  net: {
    packages: ["iptables", "nftables", "ipset", "conntrack", "kmod", "netbase", "busybox-static"],
    applets: "usr/bin",
    links: IPTABLES,
    home: false,
  },
  // What Kubernetes' tests run inside agnhost.
  tools: {
    packages: [
      "bash",
      "dash",
      "coreutils",
      "sed",
      "grep",
      "findutils",
      "hostname",
      "procps",
      "libc-bin",
      "curl",
      "bind9-dnsutils",
      "bind9-host",
      "netcat-openbsd",
      "iproute2",
      "iptables",
      "iputils-ping",
      "netbase",
      "busybox-static",
    ],
    applets: "usr/bin",
    links: { ...IPTABLES, "usr/local/bin/nc": "/usr/bin/nc.openbsd" },
    shell: "dash",
    home: true,
  },
  // Debian's ash drops environment names such as "data-1", which tests want kept: so bash is its shell.
  busybox: {
    packages: ["busybox-static", "bash-static"],
    applets: "usr/bin",
    links: {},
    shell: "bash-static",
    home: true,
  },
};

/** Raised when the way a layer is put together changes, so that cached ones are made anew. */
const EDITION = 1;

export async function userlandKey(name: UserlandName, arch: Arch, compression: Compression): Promise<string> {
  const from = await distribution();
  return ["userland", name, from, arch, recipeHash([EDITION, SELECTION, USERLANDS[name], compression])].join("-");
}

/** The layer of an entry made here. */
export function layerOf(entry: Entry): Layer {
  const { path, size, sha256 } = fileOf(entry, "layer");
  const { diffId = "", mediaType = "" } = entry.notes;
  return { path, size, digest: `sha256:${sha256}`, diffId, mediaType };
}

export interface UserlandRequest {
  name: UserlandName;
  arch: Arch;
  compression: Compression;
}

/** A layer with programs and libraries of this machine's distribution; from the cache, or fetched with apt and put together. */
export async function obtainUserland(
  cache: Cache,
  request: UserlandRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<Layer> {
  const { name, arch, compression } = request;
  const entry = await cache.obtain({
    key: await userlandKey(name, arch, compression),
    what: `the image base "${name}"`,
    progress,
    signal,
    fill: async (folder) => {
      progress(`fetching Debian packages for the image base "${name}"`);
      if (process.getuid?.() === 0) await ensureAptLists(progress, signal);
      return assemble(USERLANDS[name], folder, compression, signal);
    },
  });
  return layerOf(entry);
}

async function assemble(
  userland: Userland,
  folder: string,
  compression: Compression,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const work = join(folder, "work");
  await mkdir(work);
  const debs = await fetchPackages(userland.packages, work, signal);
  const applets = await busyboxApplets(debs, work);
  const layer = await makeLayer(join(folder, "layer"), compression, async (writer) => {
    const seen = await addPackages(writer, debs);
    addLinks(writer, userland, applets, seen);
    if (userland.home) addHome(writer);
  });
  await rm(work, { recursive: true });
  const packages = debs.map((path) => basename(path, ".deb").replace("%3a", ":")).join(" ");
  return { diffId: layer.diffId, mediaType: layer.mediaType, packages };
}

function addLinks(writer: LayerWriter, userland: Userland, applets: readonly string[], seen: Set<string>): void {
  const own = Object.entries(userland.links).filter(([path]) => !seen.has(path));
  for (const [path, target] of own) writer.link(path, target);
  const taken = new Set([...seen, ...own.map(([path]) => path)].map((path) => basename(path)));
  for (const name of applets) {
    if (name !== "sh" && !taken.has(name)) writer.link(`${userland.applets}/${name}`, "/usr/bin/busybox");
  }
  if (!seen.has("usr/bin/sh")) writer.link("usr/bin/sh", userland.shell ?? "busybox");
}

function addHome(writer: LayerWriter): void {
  writer.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writer.text("etc/group", "root:x:0:\nnogroup:x:65534:\n");
  for (const path of ["root", "home", "uploads"]) writer.folder(path);
  for (const path of ["tmp", "var/tmp"]) writer.folder(path, 0o1777);
}
