import type { Runtime } from "../../common/runtime";
import { commandLine, quote } from "../../common/quote";
import { registryConfigFolder } from "../../render/containerd";

/** How a runtime's images are handled on a machine: shell commands. */
export interface ImageStore {
  /** Prints every image's reference, one a line. */
  list: string;
  /** Reads an archive from stdin. */
  load: string;
  pull: (ref: string) => string;
  remove: (refs: readonly string[]) => string;
  /** What must be so for `load`, as a question. */
  action: string;
}

const containerd: ImageStore = {
  list: "ctr -n k8s.io images ls -q",
  // --local is three times as quick as the transfer service; pinned images are not the kubelet's to collect.
  load: "ctr -n k8s.io images import --local --label io.cri-containerd.pinned=pinned -",
  pull: (ref) => `ctr -n k8s.io images pull --hosts-dir ${registryConfigFolder} ${quote(ref)}`,
  remove: removeWithAliases,
  action: "is containerd running, and is there room on the disk?",
};

/** CRI keeps each image under its digest too; while that name is there, so is the content. */
function removeWithAliases(refs: readonly string[]): string {
  return `ctr -n k8s.io images ls | awk -v refs=${quote(refs.join(" "))} '
  BEGIN {split(refs, list, " "); for (i in list) ours[list[i]] = 1}
  {name[NR] = $1; digest[NR] = $3; if ($1 in ours) gone[$3] = 1}
  END {for (i = 1; i <= NR; i++) if (digest[i] in gone) print name[i]}' | xargs -r ctr -n k8s.io images rm --sync`;
}

/** Where an image waits on its way from a mirror into Docker. */
const PULLED = "kubewright";

const docker: ImageStore = {
  list: "docker image ls --format '{{.Repository}}:{{.Tag}}'",
  load: "docker load --quiet",
  pull: throughMirror,
  remove: (refs) => `docker image rm ${commandLine(refs)}`,
  action: "is Docker running, and is there room on the disk?",
};

/** Docker knows mirrors of docker.io only: for the other registries its containerd pulls, which knows all of them. */
function throughMirror(ref: string): string {
  const image = quote(ref);
  return `if [ -d ${registryConfigFolder} ]; then
  ctr -n ${PULLED} images pull --hosts-dir ${registryConfigFolder} ${image} >&2 && ctr -n ${PULLED} images export - ${image} | docker load --quiet
  ctr -n ${PULLED} images rm ${image} >&2
  docker image inspect ${image}
else docker pull --quiet ${image}; fi`;
}

export const IMAGE_STORES: Readonly<Record<Runtime, ImageStore>> = { containerd, docker };
