import { gte } from "semver";
import type { Runtime } from "../common/runtime";
import { type JsonValue, withoutUndefined, yamlText } from "./json";
import type { MachineFacts } from "./facts";
import { template } from "./template";

/**
 * Settings of the kubelet that a person may give: any field of KubeletConfiguration, those that people use most by their type.
 * Quantities and durations are Kubernetes' own words (`500Mi`, `10%`, `1m30s`).
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export interface KubeletSettings {
  /** Pods that the node may run; Kubernetes' default is 110. */
  maxPods?: number;
  podPidsLimit?: number;
  /** Thresholds that evict at once, such as `{"memory.available": "100Mi"}`; giving one replaces the whole default set. */
  evictionHard?: Record<string, string>;
  evictionSoft?: Record<string, string>;
  evictionSoftGracePeriod?: Record<string, string>;
  evictionMinimumReclaim?: Record<string, string>;
  /** Kept from pods for the system's daemons: `{cpu: "200m", memory: "500Mi"}`. */
  systemReserved?: Record<string, string>;
  /** Kept from pods for the kubelet and the runtime. */
  kubeReserved?: Record<string, string>;
  /** false lets the kubelet start on a machine with swap (preflight then accepts swap too). */
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
  /** The address that the node registers with; with NAT on the first interface the kubelet would choose the wrong one. */
  nodeIp: string;
  /** Flags without their dashes; `node-ip` may be overridden here. */
  extraArgs?: Readonly<Record<string, string>>;
}

export interface KubeletConfigurationOptions {
  settings?: KubeletSettings;
  /** Of the kubelet, without the `v`. */
  version: string;
  /** @default containerd */
  runtime?: Runtime;
  facts: Pick<MachineFacts, "cgroupVersion" | "systemdResolved">;
}

/** What an environment file of systemd (systemd.exec(5)) would split, eat or expand, and a shell that reads one run. */
export const NOT_IN_A_FLAG = /[\s\p{Cc}\p{Cs}"'`\\$]/u;

/** The kubelet's own unit; how it is configured comes from a drop-in, because kubeadm is only one of the ways. */
export function kubeletUnit(): string {
  return template("kubelet/kubelet.service");
}

/** kubeadm's drop-in, as in the upstream package, plus the kubelet's drop-in folder of configuration (KEP-3983). */
export function kubeletKubeadmDropIn(): string {
  return template("kubelet/10-kubeadm.conf");
}

/** The drop-in of a kubelet without kubeadm. */
export function kubeletComponentsDropIn(): string {
  return template("kubelet/10-components.conf");
}

/**
 * /etc/default/kubelet: flags of this node, read last and so stronger than kubeadm's.
 * @throws when a value has white space or a quote, which systemd would split or eat
 */
export function kubeletDefaults(options: KubeletDefaultsOptions): string {
  const flags = Object.entries({ "node-ip": options.nodeIp, ...options.extraArgs }).map(([name, value]) =>
    kubeletFlag(name, value),
  );
  return `KUBELET_EXTRA_ARGS="${flags.join(" ")}"\n`;
}

/**
 * The node's drop-in of /etc/kubernetes/kubelet.conf.d: the person's settings over what the machine needs.
 * It is merged over kubeadm's /var/lib/kubelet/config.yaml, so a change needs the kubelet restarted and nothing else.
 */
export function kubeletConfiguration({ settings, ...options }: KubeletConfigurationOptions): KubeletConfiguration {
  const gates = { ...neededGates(options), ...settings?.featureGates };
  // Kubernetes 1.35 and later refuse cgroup v1 unless told otherwise (KEP-5573).
  const needed: KubeletSettings = options.facts.cgroupVersion === 1 ? { failCgroupV1: false } : {};
  const all = Object.keys(gates).length > 0 ? { featureGates: gates } : {};
  return withoutUndefined({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...needed,
    ...settings,
    ...all,
  });
}

/**
 * cri-dockerd tells the kubelet an address without a scheme, which its own WebSocket client takes for https since 1.36; without that client
 * the API server translates, as before: https://github.com/Mirantis/cri-dockerd/issues/569. Older kubelets do not know the gate, and refuse it.
 */
function neededGates({ version, runtime }: Omit<KubeletConfigurationOptions, "settings">): Record<string, boolean> {
  return runtime === "docker" && gte(version, "1.36.0") ? { ExtendWebSocketsToKubelet: false } : {};
}

export function kubeletConfigurationText(options: KubeletConfigurationOptions): string {
  return yamlText(kubeletConfiguration(options));
}

function kubeletFlag(name: string, value: string): string {
  if (NOT_IN_A_FLAG.test(name + value))
    throw new Error(
      `kubelet flag --${name}: white space, control characters, quotes, $ and backslashes cannot be passed`,
    );
  return `--${name}=${value}`;
}
