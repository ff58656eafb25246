import {
  type ContainerdOptions,
  containerdConfig,
  containerdUnit,
  registryHosts,
  registryHostsPath,
} from "./containerd";
import { criDockerdSocket, criDockerdUnit, dockerConfigurationText } from "./docker";
import { type GuardOptions, guardTable, guardUnit } from "./guard";
import {
  KUBELET_CONFIGURATION,
  KUBELET_SETTINGS,
  type KubeletConfigurationOptions,
  type KubeletDefaultsOptions,
  kubeletConfigurationText,
  kubeletDefaults,
  kubeletComponentsDropIn,
  kubeletKubeadmDropIn,
  kubeletUnit,
} from "./kubelet";
import { type StandaloneOptions, standaloneConfiguration } from "./standalone-kubelet";

export interface NodeFile {
  content: string;
  /** Permission bits: 0o644. */
  mode: number;
}

/** Files of a node by absolute path. They belong to root. */
export type NodeFiles = Record<string, NodeFile>;

export type KubeletFilesOptions = KubeletDefaultsOptions &
  KubeletConfigurationOptions & {
    /** If set, renders a kubelet without kubeadm, with this node name. */
    standalone?: Pick<StandaloneOptions, "criSocket"> & { nodeName: string };
  };

/** Renders containerd's configuration, mirrors and unit. */
export function runtimeFiles(options: ContainerdOptions): NodeFiles {
  return {
    "/etc/containerd/config.toml": readable(containerdConfig(options)),
    "/etc/systemd/system/containerd.service": readable(containerdUnit()),
    ...mirrorFiles(options.mirrors),
  };
}

/**
 * Renders Docker Engine's configuration. With mirrors, images are pulled by `ctr`, which reads the same files as
 * containerd.
 */
export function engineFiles({ mirrors }: Pick<ContainerdOptions, "mirrors">): NodeFiles {
  return { "/etc/docker/daemon.json": readable(dockerConfigurationText()), ...mirrorFiles(mirrors) };
}

/**
 * Renders the units of cri-dockerd, through which the kubelet uses Docker. systemd starts neither without the other.
 */
export function criDockerdFiles({ pauseImage }: Pick<ContainerdOptions, "pauseImage">): NodeFiles {
  return {
    "/etc/systemd/system/cri-docker.service": readable(criDockerdUnit(pauseImage)),
    "/etc/systemd/system/cri-docker.socket": readable(criDockerdSocket()),
  };
}

function mirrorFiles(mirrors: ContainerdOptions["mirrors"] = []): NodeFiles {
  return Object.fromEntries(
    mirrors.map((mirror): [string, NodeFile] => [registryHostsPath(mirror), readable(registryHosts(mirror))]),
  );
}

/**
 * Renders the kubelet's units and this node's settings, with or without kubeadm. Only root may read them. A
 * change of any file needs a restart of the kubelet.
 */
export function kubeletFiles(options: KubeletFilesOptions): NodeFiles {
  return {
    "/etc/systemd/system/kubelet.service": rootOnly(kubeletUnit()),
    ...(options.standalone ? standaloneFiles(options, options.standalone) : kubeadmFiles(options)),
    [KUBELET_SETTINGS]: rootOnly(kubeletConfigurationText(options)),
  };
}

function kubeadmFiles(options: KubeletFilesOptions): NodeFiles {
  return {
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": rootOnly(kubeletKubeadmDropIn()),
    "/etc/default/kubelet": rootOnly(kubeletDefaults(options)),
  };
}

function standaloneFiles(
  { extraArgs, facts, nodeIp }: KubeletFilesOptions,
  { criSocket, nodeName }: NonNullable<KubeletFilesOptions["standalone"]>,
): NodeFiles {
  return {
    "/etc/systemd/system/kubelet.service.d/10-components.conf": rootOnly(kubeletComponentsDropIn()),
    "/etc/default/kubelet": rootOnly(
      kubeletDefaults({ nodeIp, extraArgs: { "hostname-override": nodeName, ...extraArgs } }),
    ),
    [KUBELET_CONFIGURATION]: rootOnly(standaloneConfiguration({ criSocket, facts })),
  };
}

/** Renders the guard, which keeps packets for Services and pods inside the cluster's network. */
export function guardFiles(options: GuardOptions): NodeFiles {
  return {
    "/etc/kubewright/guard.nft": readable(guardTable(options)),
    "/etc/systemd/system/kubewright-guard.service": readable(guardUnit(options)),
  };
}

/** Returns files of a folder that everybody may read. @param contents by the names of the files */
export function readableFiles(folder: string, contents: Readonly<Record<string, string>>): NodeFiles {
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => [`${folder}/${name}`, readable(content)]),
  );
}

function readable(content: string): NodeFile {
  return { content, mode: 0o644 };
}

function rootOnly(content: string): NodeFile {
  return { content, mode: 0o600 };
}

/** Converts permission bits to octal text, for the inputs of resources. */
export function octal(files: NodeFiles): Record<string, { content: string; mode: string }> {
  return Object.fromEntries(
    Object.entries(files).map(([path, { content, mode }]) => [
      path,
      { content, mode: mode.toString(8).padStart(4, "0") },
    ]),
  );
}
