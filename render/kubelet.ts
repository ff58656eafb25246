import { gte } from "semver";
import type { Runtime } from "../common/runtime";
import { optional } from "../common/optional";
import { type JsonValue, yamlText } from "./json";
import type { MachineFacts } from "./facts";
import { template } from "./template";
import { CIPHER_SUITES, MIN_TLS_VERSION } from "./tls";

/**
 * The user's kubelet settings: any field of KubeletConfiguration, of which the most common ones are typed. Quantities
 * and durations are in Kubernetes' format (`500Mi`, `10%`, `1m30s`).
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export interface KubeletSettings {
  /** Maximum number of pods on the node. @default 110 */
  maxPods?: number;
  podPidsLimit?: number;
  /**
   * Thresholds that evict pods immediately: `{"memory.available": "100Mi"}`. Setting one replaces all of Kubernetes'
   * defaults.
   */
  evictionHard?: Record<string, string>;
  evictionSoft?: Record<string, string>;
  evictionSoftGracePeriod?: Record<string, string>;
  evictionMinimumReclaim?: Record<string, string>;
  /** Resources reserved for system daemons: `{cpu: "200m", memory: "500Mi"}`. */
  systemReserved?: Record<string, string>;
  /** Resources reserved for the kubelet and the container runtime. */
  kubeReserved?: Record<string, string>;
  /** `false` lets the kubelet start on a machine with swap, and makes preflight accept swap. @default true */
  failSwapOn?: boolean;
  memorySwap?: { swapBehavior?: "NoSwap" | "LimitedSwap" };
  imageGCHighThresholdPercent?: number;
  imageGCLowThresholdPercent?: number;
  containerLogMaxSize?: string;
  containerLogMaxFiles?: number;
  serializeImagePulls?: boolean;
  maxParallelImagePulls?: number;
  shutdownGracePeriod?: string;
  shutdownGracePeriodCriticalPods?: string;
  cpuManagerPolicy?: "none" | "static";
  topologyManagerPolicy?: "none" | "best-effort" | "restricted" | "single-numa-node";
  featureGates?: Record<string, boolean>;
  [setting: string]: JsonValue | undefined;
}

export interface KubeletConfiguration extends KubeletSettings {
  apiVersion: "kubelet.config.k8s.io/v1beta1";
  kind: "KubeletConfiguration";
}

export interface KubeletDefaultsOptions {
  /** Address with which the node registers. With NAT on the first interface, the kubelet would choose the wrong one. */
  nodeIp: string;
  /** Flags without leading dashes. May override `node-ip`. */
  extraArgs?: Readonly<Record<string, string>>;
}

export interface KubeletConfigurationOptions {
  settings?: KubeletSettings;
  /** The kubelet's version, without the prefix `v`. */
  version: string;
  /** @default containerd */
  runtime?: Runtime;
  facts: Pick<MachineFacts, "cgroupVersion" | "systemdResolved">;
  /** Whether the kubelet requests its serving certificate from the cluster. @default false */
  requestsCertificate?: boolean;
}

/**
 * Characters that systemd would split, remove or expand in an environment file (systemd.exec(5)), or a shell would
 * interpret.
 */
export const NOT_IN_A_FLAG = /[\s\p{Cc}\p{Cs}"'`\\$]/u;

/** Renders the kubelet's unit. Its configuration is in a drop-in, which differs with and without kubeadm. */
export function kubeletUnit(): string {
  return template("kubelet/kubelet.service");
}

/** Renders kubeadm's drop-in of the upstream package, plus the kubelet's folder of drop-in configuration (KEP-3983). */
export function kubeletKubeadmDropIn(): string {
  return template("kubelet/10-kubeadm.conf");
}

/** Renders the drop-in of a kubelet without kubeadm. */
export function kubeletComponentsDropIn(): string {
  return template("kubelet/10-components.conf");
}

/**
 * Renders /etc/default/kubelet: the flags of this node, which are read last and therefore override kubeadm's.
 * @throws Error when a value contains characters that systemd would change, such as white space or quotes
 */
export function kubeletDefaults(options: KubeletDefaultsOptions): string {
  const flags = Object.entries({ "node-ip": options.nodeIp, ...options.extraArgs }).map(([name, value]) =>
    kubeletFlag(name, value),
  );
  return `KUBELET_EXTRA_ARGS="${flags.join(" ")}"\n`;
}

/** The configuration that kubeadm writes, or on the ladder Kubewright. */
export const KUBELET_CONFIGURATION = "/var/lib/kubelet/config.yaml";
/** Drop-in with the settings that the machine needs, and the user's. */
export const KUBELET_SETTINGS = "/etc/kubernetes/kubelet.conf.d/10-kubewright.conf";

const SETTINGS_FILES = [
  /^\/etc\/systemd\/system\/kubelet\.service(\.d\/|$)/,
  /^\/etc\/default\/kubelet$/,
  /^\/etc\/kubernetes\/kubelet\.conf\.d\//,
];

/** Whether a file has settings of a kubelet. Only root may read them, but they contain no secrets. */
export function isKubeletSettings(path: string): boolean {
  return path === KUBELET_CONFIGURATION || SETTINGS_FILES.some((pattern) => pattern.test(path));
}

/**
 * Returns the node's drop-in of /etc/kubernetes/kubelet.conf.d: the settings that the machine needs, overridden by the
 * user's. The kubelet merges it over kubeadm's /var/lib/kubelet/config.yaml, so a change only needs a restart of the
 * kubelet.
 */
export function kubeletConfiguration({ settings, ...options }: KubeletConfigurationOptions): KubeletConfiguration {
  const gates = { ...requiredGates(options), ...settings?.featureGates };
  // Since 1.35, the kubelet refuses cgroup v1 by default (KEP-5573).
  const required: KubeletSettings = options.facts.cgroupVersion === 1 ? { failCgroupV1: false } : {};
  const featureGates = Object.keys(gates).length > 0 ? { featureGates: gates } : {};
  return optional({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    tlsMinVersion: MIN_TLS_VERSION,
    tlsCipherSuites: [...CIPHER_SUITES],
    ...required,
    ...settings,
    ...featureGates,
    ...(options.requestsCertificate ? { serverTLSBootstrap: true } : {}),
  }) as KubeletConfiguration;
}

/**
 * cri-dockerd returns streaming addresses without a scheme, which the kubelet's WebSocket client of 1.36 takes for
 * https. Without that client, the API server translates them as before:
 * https://github.com/Mirantis/cri-dockerd/issues/569. Older kubelets refuse the gate.
 */
function requiredGates({ version, runtime }: Omit<KubeletConfigurationOptions, "settings">): Record<string, boolean> {
  return runtime === "docker" && gte(version, "1.36.0") ? { ExtendWebSocketsToKubelet: false } : {};
}

export function kubeletConfigurationText(options: KubeletConfigurationOptions): string {
  return yamlText(kubeletConfiguration(options));
}

function kubeletFlag(name: string, value: string): string {
  if (NOT_IN_A_FLAG.test(name + value))
    throw new Error(
      `kubelet flag --${name} must not contain white space, control characters, quotes, $ or backslashes`,
    );
  return `--${name}=${value}`;
}
