import type { Runtime } from "../../common/runtime";
import { commandLine, quote } from "../../common/quote";
import { registryConfigFolder } from "../../render/containerd";

/** Shell commands that handle a runtime's images on a machine. */
export interface ImageStore {
  /** Prints the reference of every image, one per line. */
  list: string;
  /** Reads an archive from stdin. */
  load: string;
  pull: (ref: string) => string;
  remove: (refs: readonly string[]) => string;
  /** Lets the kubelet delete images that no container uses. */
  unpin: (refs: readonly string[]) => string;
  /** What `load` requires, for the error. */
  action: string;
}

/** Label of images that the kubelet does not delete. */
const PINNED = "io.cri-containerd.pinned";

const containerd: ImageStore = {
  list: "ctr -n k8s.io images ls -q",
  // --local is three times as fast as the transfer service.
  load: `ctr -n k8s.io images import --local --label ${PINNED}=pinned -`,
  pull: (ref) => `ctr -n k8s.io images pull --hosts-dir ${registryConfigFolder} ${quote(ref)}`,
  remove: removeWithAliases,
  unpin: (refs) =>
    `for ref in ${commandLine(refs)}; do ctr -n k8s.io images label "$ref" ${PINNED}= >/dev/null 2>&1 || true; done`,
  action: "check that containerd runs and that the disk has free space",
};

/** Removes images with all their names: CRI also names each by its digest, and any name keeps the content. */
function removeWithAliases(refs: readonly string[]): string {
  return `ctr -n k8s.io images ls | awk -v refs=${quote(refs.join(" "))} '
  BEGIN {split(refs, list, " "); for (i in list) ours[list[i]] = 1}
  {name[NR] = $1; digest[NR] = $3; if ($1 in ours) gone[$3] = 1}
  END {for (i = 1; i <= NR; i++) if (digest[i] in gone) print name[i]}' | xargs -r ctr -n k8s.io images rm --sync`;
}

/** containerd namespace of images that are pulled from a mirror for Docker. */
const PULLED = "kubewright";

const docker: ImageStore = {
  list: "docker image ls --format '{{.Repository}}:{{.Tag}}'",
  load: "docker load --quiet",
  pull: throughMirror,
  remove: (refs) => `docker image rm ${commandLine(refs)}`,
  unpin: () => ":", // Docker pins no images
  action: "check that Docker runs and that the disk has free space",
};

/** Pulls with Docker's containerd if a mirror is configured: Docker itself supports mirrors of docker.io only. */
function throughMirror(ref: string): string {
  const image = quote(ref);
  return `if [ -d ${registryConfigFolder} ]; then
  ctr -n ${PULLED} images pull --hosts-dir ${registryConfigFolder} ${image} >&2 &&
    ctr -n ${PULLED} images export - ${image} | docker load --quiet
  ctr -n ${PULLED} images rm ${image} >&2
  docker image inspect ${image}
else docker pull --quiet ${image}; fi`;
}

export const IMAGE_STORES: Readonly<Record<Runtime, ImageStore>> = { containerd, docker };
