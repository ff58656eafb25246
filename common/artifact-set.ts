import type { DockerBinary, ImageBinary, NodeBinary } from "./binary-names";

/** A file on the computer that runs Pulumi. */
export interface LocalFile {
  path: string;
  sha256: string;
  /** Bytes. */
  size: number;
}

/** An OCI layout as a tar archive for `ctr -n k8s.io images import`, or one that `docker load` reads as well. */
export interface ImageArchive extends LocalFile {
  /** References of the images in the archive. */
  refs: string[];
}

/** References of the images that a cluster uses. */
export interface ImageRefs {
  pause: string;
  coredns: string;
  flannel: string;
  etcd: string;
  kubeProxy: string;
  apiserver: string;
  controllerManager: string;
  scheduler: string;
  /** For examples; one of the extras. */
  busybox: string;
}

/** How the images reach the nodes: as archives, or pulled by the nodes themselves. */
export type Images =
  | { kind: "archives"; worker: ImageArchive; controlPlane: ImageArchive; extras?: ImageArchive }
  /**
   * A mirror serves the API of registry R at `<registryMirror>/R/v2` (containerd: hosts.toml with override_path =
   * true).
   */
  | { kind: "pull"; worker: string[]; controlPlane: string[]; registryMirror?: string };

/** Everything that a cluster of one Kubernetes version needs, as files on the computer that runs Pulumi. */
export interface ArtifactSet {
  /** `official`, `modules`, or the mirror's address. */
  source: string;
  /** Why this source was chosen, as a sentence for the user. */
  reason: string;
  binaries: Record<NodeBinary, LocalFile> & Partial<Record<ImageBinary | DockerBinary, LocalFile>>;
  images: Images;
  /** For kubeadm (image tags of CoreDNS and etcd), containerd's sandbox image and flannel's manifest. */
  refs: ImageRefs;
}
