import type { MachineFacts } from "./facts";
import { type ContainerdSettings, addSettings, findConflicts, tomlString } from "./containerd-settings";
import { template } from "./template";

/** The folder in which containerd looks for one folder per registry. See `registryHosts`. */
export const registryConfigFolder = "/etc/containerd/certs.d";

export interface RegistryMirror {
  /** The registry that is mirrored: `docker.io`, `registry.k8s.io`, or `_default` for all. */
  registry: string;
  /** URLs such as `https://mirror.example.com`, which are tried in this order, and the registry itself last. */
  endpoints: readonly string[];
  /** Path of the mirror's CA certificate on the machine. @default the system's CAs */
  caFile?: string;
  /** The endpoints include the path of the registry API, so that containerd does not append `/v2`. @default false */
  overridePath?: boolean;
}

/** The registries of Kubewright's images, and of most user images. */
const mirroredRegistries = ["registry.k8s.io", "ghcr.io", "docker.io"];

export interface ContainerdOptions {
  /** Full reference: `registry.k8s.io/pause:3.10.2`. Pinned, so that the kubelet's garbage collection keeps it. */
  pauseImage: string;
  facts: Pick<MachineFacts, "capSysResource">;
  mirrors?: readonly RegistryMirror[];
  /** Further settings, as nested tables. */
  settings?: ContainerdSettings;
}

/**
 * Renders /etc/containerd/config.toml, configuration version 3 (containerd 2).
 * Source: https://github.com/containerd/containerd/blob/main/docs/cri/config.md
 */
export function containerdConfig({ pauseImage, facts, settings = {} }: ContainerdOptions): string {
  const text = template("containerd/config.toml", {
    PAUSE_IMAGE: tomlString(pauseImage),
    RESTRICT_OOM_SCORE_ADJ: String(!facts.capSysResource),
  });
  return Object.keys(settings).length > 0 ? addSettings(text, settings) : text;
}

/** Returns the names of settings that Kubewright sets itself. */
export function findManagedSettings(settings: ContainerdSettings): string[] {
  const ownConfiguration = containerdConfig({ pauseImage: "", facts: { capSysResource: true } });
  return findConflicts(ownConfiguration, settings);
}

export function containerdUnit(): string {
  return template("containerd/containerd.service");
}

/**
 * Renders the hosts.toml of one mirrored registry. containerd reads it at each pull, so changes need no restart.
 * Source: https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export function registryHosts({ endpoints, caFile, overridePath = false }: RegistryMirror): string {
  const ca = caFile === undefined ? "" : `  ca = ${tomlString(caFile)}\n`;
  const path = overridePath ? "  override_path = true\n" : "";
  return endpoints
    .map((endpoint) => `[host.${tomlString(endpoint)}]\n  capabilities = ["pull", "resolve"]\n${ca}${path}`)
    .join("\n");
}

/** Returns the mirror configuration of all registries, for one mirror that serves registry R at `<mirror>/R/v2`. */
export function mirrorAllRegistries(mirror: string): RegistryMirror[] {
  const base = mirror.replace(/\/+$/, "");
  return mirroredRegistries.map((registry) => ({
    registry,
    endpoints: [`${base}/${registry}/v2`],
    overridePath: true,
  }));
}

/** Returns the path of a mirrored registry's hosts.toml. */
export function registryHostsPath({ registry }: Pick<RegistryMirror, "registry">): string {
  return `${registryConfigFolder}/${registry}/hosts.toml`;
}
