import type { MachineFacts } from "./facts";
import { template } from "./template";

/** Where containerd looks for one folder per registry; see `registryHosts`. */
export const registryConfigFolder = "/etc/containerd/certs.d";

export interface RegistryMirror {
  /** The registry that is mirrored: `docker.io`, `registry.k8s.io`, or `_default` for all. */
  registry: string;
  /** Asked in this order, with their scheme: `https://mirror.example.com`; the registry itself comes last. */
  endpoints: readonly string[];
  /** The mirror's CA on the machine. @default the system's */
  caFile?: string;
  /** The endpoints have the path of the registry's API in them already: containerd adds no `/v2`. @default false */
  overridePath?: boolean;
}

/** Where our own images and most of a person's come from. */
const mirroredRegistries = ["registry.k8s.io", "ghcr.io", "docker.io"];

export interface ContainerdOptions {
  /** Full reference, `registry.k8s.io/pause:3.10.2`; pinned, so that the kubelet's garbage collection leaves it alone. */
  pauseImage: string;
  facts: Pick<MachineFacts, "capSysResource">;
  mirrors?: readonly RegistryMirror[];
}

/**
 * /etc/containerd/config.toml, configuration version 3 (containerd 2).
 * Source: https://github.com/containerd/containerd/blob/main/docs/cri/config.md
 */
export function containerdConfig({ pauseImage, facts }: ContainerdOptions): string {
  return template("containerd/config.toml", {
    PAUSE_IMAGE: tomlString(pauseImage),
    RESTRICT_OOM_SCORE_ADJ: String(!facts.capSysResource),
  });
}

export function containerdUnit(): string {
  return template("containerd/containerd.service");
}

/**
 * The hosts.toml of one mirrored registry; containerd reads it at each pull, so a change needs no restart.
 * Source: https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export function registryHosts({ endpoints, caFile, overridePath = false }: RegistryMirror): string {
  const ca = caFile === undefined ? "" : `  ca = ${tomlString(caFile)}\n`;
  const path = overridePath ? "  override_path = true\n" : "";
  return endpoints
    .map((endpoint) => `[host.${tomlString(endpoint)}]\n  capabilities = ["pull", "resolve"]\n${ca}${path}`)
    .join("\n");
}

/** One mirror that has the API of registry R at `<mirror>/R/v2`, for every registry that images come from. */
export function everyRegistry(mirror: string): RegistryMirror[] {
  const base = mirror.replace(/\/+$/, "");
  return mirroredRegistries.map((registry) => ({
    registry,
    endpoints: [`${base}/${registry}/v2`],
    overridePath: true,
  }));
}

/** Path of the hosts.toml of one mirrored registry. */
export function registryHostsPath({ registry }: Pick<RegistryMirror, "registry">): string {
  return `${registryConfigFolder}/${registry}/hosts.toml`;
}

/** JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped. */
function tomlString(value: string): string {
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}
