import { StepError } from "../common/errors";
import { runCommand } from "../common/process";
import type { Progress } from "../common/progress";
import { fileOf, type Cache } from "./cache";
import { recipeHash } from "./hash";
import { downloadAll, downloadKey, planDownloads, type PlannedDownload, type Remote } from "./official";
import type { Arch, KubeadmImages, Versions } from "./versions";

/** Seconds. kubeadm prints the list within one, and uses no network because the version is given. */
const LIST_TIMEOUT_S = 30;

interface Release {
  versions: Versions;
  /** `1.36.4`. */
  kubernetes: string;
  source: Remote;
}

/** Returns the image tags of this version's kubeadm, if versions.yaml or the cache has them. */
export async function findKubeadmImages(cache: Cache, release: Release): Promise<KubeadmImages | undefined> {
  const listed = release.versions.kubernetes.supported[release.kubernetes];
  return listed ?? toImages((await cache.find(keyOf(release)))?.notes);
}

/**
 * Returns the image tags of this version's kubeadm. Where versions.yaml does not list the version, its kubeadm is
 * downloaded, verified, and run on this computer: a patch release may bring a newer etcd, CoreDNS or pause than the
 * listed one of the same minor version.
 * https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-config/#cmd-config-images-list
 * @throws StepError when the download or kubeadm fails
 */
export async function obtainKubeadmImages(
  cache: Cache,
  release: Release,
  progress: Progress,
  signal: AbortSignal,
): Promise<KubeadmImages> {
  const known = await findKubeadmImages(cache, release);
  if (known) return known;
  const { kubernetes, source } = release;
  const [entry] = await downloadAll(cache, [kubeadmDownload(release)], source, progress, signal);
  if (!entry) throw new Error("the download of kubeadm has no entry");
  const listed = await cache.obtain({
    key: keyOf(release),
    label: `the images of kubeadm ${kubernetes}`,
    progress,
    signal,
    fill: async () => ({ ...(await listImages(fileOf(entry, "kubeadm").path, kubernetes, signal)) }),
  });
  return toImages(listed.notes) ?? unreadable(kubernetes, "the cache has no complete list");
}

/** The download of the kubeadm that runs on this computer, whatever the architecture of the machines is. */
export function kubeadmDownload({ versions, kubernetes }: Omit<Release, "source">): PlannedDownload {
  const arch: Arch = process.arch === "arm64" ? "arm64" : "amd64";
  const download = planDownloads(versions, kubernetes, arch).find(({ name }) => name === "kubeadm");
  if (!download) throw new Error("versions.yaml has no download of kubeadm");
  return download;
}

async function listImages(kubeadm: string, kubernetes: string, signal: AbortSignal): Promise<KubeadmImages> {
  const args = ["config", "images", "list", "--kubernetes-version", `v${kubernetes}`];
  const options = { step: stepOf(kubernetes), signal, timeout: LIST_TIMEOUT_S, action: "try again" };
  const output = await runCommand(kubeadm, args, options);
  return parseImageList(output) ?? unreadable(kubernetes, `kubeadm printed no etcd, pause or CoreDNS: ${output}`);
}

/** Reads the output of `kubeadm config images list`. Returns undefined when an image is missing. */
export function parseImageList(text: string): KubeadmImages | undefined {
  const tags = text.split("\n").flatMap((line): [string, string][] => {
    const [, name, tag] = /^\S+\/([^/\s:]+):([\w.-]+)$/.exec(line.trim()) ?? [];
    return name !== undefined && tag !== undefined ? [[name, tag]] : [];
  });
  return toImages(Object.fromEntries(tags));
}

function toImages(tags: Readonly<Record<string, string>> | undefined): KubeadmImages | undefined {
  const { etcd, pause, coredns } = tags ?? {};
  return etcd === undefined || pause === undefined || coredns === undefined ? undefined : { etcd, pause, coredns };
}

function keyOf(release: Release): string {
  const recipe = recipeHash([downloadKey(kubeadmDownload(release), release.source)]);
  return ["kubeadm-images", release.kubernetes, release.source.kind, recipe].join("-");
}

function stepOf(kubernetes: string): string {
  return `list the images of kubeadm ${kubernetes}`;
}

function unreadable(kubernetes: string, cause: string): never {
  throw new StepError({ step: stepOf(kubernetes), cause, action: "try again, or use a version of versions.yaml" });
}
