import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Progress } from "../common/progress";
import { fileOf, type Cache, type Entry } from "./cache";
import type { Compression } from "./compress";
import { SELECTION, addPackages, downloadPackages, listApplets } from "./debian";
import { recipeHash } from "./hash";
import { ensureAptLists, readDistribution } from "./host-packages";
import { writeLayer, type Layer, type LayerWriter } from "./layer";
import type { Arch } from "./versions";

export type UserlandName = "net" | "tools" | "busybox";

interface Userland {
  packages: readonly string[];
  /** Folder for links to busybox's applets. Applets that a package already contains are omitted. */
  applets: string;
  links: Record<string, string>;
  /** The program that /bin/sh links to. @default busybox */
  shell?: string;
  /** Adds user accounts and writable folders, which tests need. */
  home: boolean;
}

/** Links that update-alternatives would create: iptables is the nft variant, Debian's default. */
const IPTABLES = Object.fromEntries(
  ["iptables", "ip6tables"].flatMap((name) =>
    ["", "-save", "-restore"].map((end) => [`usr/sbin/${name}${end}`, "xtables-nft-multi"]),
  ),
);

/** Debian's busybox has no option `-T` of wget, and crashes on it. Images for tests have the package wget instead. */
const USERLANDS: Record<UserlandName, Userland> = {
  // Programs that kube-proxy and flannel call, in all of their modes.
  net: {
    packages: ["iptables", "nftables", "ipset", "conntrack", "kmod", "netbase", "busybox-static"],
    applets: "usr/bin",
    links: IPTABLES,
    home: false,
  },
  // Programs that Kubernetes' end-to-end tests run in agnhost.
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
      "wget",
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
  // bash is the shell because Debian's ash drops environment variables such as "data-1", which tests expect to be kept.
  busybox: {
    packages: ["busybox-static", "bash-static", "wget"],
    applets: "usr/bin",
    links: {},
    shell: "bash-static",
    home: true,
  },
};

/** Increased when the layer format changes, so that cached layers are rebuilt. */
const FORMAT_VERSION = 1;

export async function userlandKey(name: UserlandName, arch: Arch, compression: Compression): Promise<string> {
  const recipe = recipeHash([FORMAT_VERSION, SELECTION, USERLANDS[name], compression]);
  return ["userland", name, await readDistribution(), arch, recipe].join("-");
}

/** Returns the layer of a userland's cache entry. */
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

/**
 * Returns a layer with programs and libraries of the controller's distribution. Creates it with apt if the cache has
 * none.
 */
export async function obtainUserland(
  cache: Cache,
  request: UserlandRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<Layer> {
  const { name, arch, compression } = request;
  const entry = await cache.obtain({
    key: await userlandKey(name, arch, compression),
    label: `the image base "${name}"`,
    progress,
    signal,
    fill: async (folder) => {
      progress(`downloading Debian packages for the image base "${name}"`);
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
  const debs = await downloadPackages(userland.packages, work, signal);
  const applets = await listApplets(debs, work);
  const layer = await writeLayer(join(folder, "layer"), compression, async (writer) => {
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
  for (const [path, target] of own) writer.addLink(path, target);
  const taken = new Set([...seen, ...own.map(([path]) => path)].map((path) => basename(path)));
  for (const name of applets) {
    if (name !== "sh" && !taken.has(name)) writer.addLink(`${userland.applets}/${name}`, "/usr/bin/busybox");
  }
  if (!seen.has("usr/bin/sh")) writer.addLink("usr/bin/sh", userland.shell ?? "busybox");
}

function addHome(writer: LayerWriter): void {
  writer.addText("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writer.addText("etc/group", "root:x:0:\nnogroup:x:65534:\n");
  for (const path of ["root", "home", "uploads"]) writer.addFolder(path);
  for (const path of ["tmp", "var/tmp"]) writer.addFolder(path, 0o1777);
}
