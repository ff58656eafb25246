import type { Argument } from "./kubeadm-types";
import { CIPHER_SUITES, MIN_TLS_VERSION } from "./tls";

export type Args = Readonly<Record<string, string>>;

/** Extra flags by component, without leading dashes. They override Kubewright's defaults of the same name. */
export interface ComponentArgs {
  apiServer?: Args;
  controllerManager?: Args;
  scheduler?: Args;
  etcd?: Args;
}

/** Flags that the CIS Kubernetes Benchmark asks of every component with an HTTPS server (docs/hardening.md). */
const SERVER_DEFAULTS: Args = {
  profiling: "false",
  "tls-min-version": MIN_TLS_VERSION,
  "tls-cipher-suites": CIPHER_SUITES.join(","),
};

/** By default an API server that stops waits 60 s for open watches. Clients open them again anyway. */
const API_SERVER_DEFAULTS: Args = { ...SERVER_DEFAULTS, "shutdown-watch-termination-grace-period": "2s" };

/** Returns Kubewright's default flags of the control plane. */
export function initDefaults(controlPlanes: number, nodeMaskSize?: number): Required<Omit<ComponentArgs, "etcd">> {
  // Acquiring the lease takes up to 7 s at the first boot, and a single control plane does not need it.
  const election: Args = controlPlanes === 1 ? { "leader-elect": "false" } : {};
  const mask: Args = nodeMaskSize === undefined ? {} : { "node-cidr-mask-size": String(nodeMaskSize) };
  // With the default of 20 requests per second, it needs 5 s to create the clients of its controllers.
  const rate: Args = { "kube-api-qps": "200", "kube-api-burst": "400" };
  return {
    apiServer: API_SERVER_DEFAULTS,
    controllerManager: { ...election, ...rate, ...mask, ...SERVER_DEFAULTS },
    scheduler: { ...election, ...SERVER_DEFAULTS },
  };
}

/** Merges sets of flags to kubeadm's list. Later sets override earlier ones. */
export function mergedArguments(...sets: readonly (Args | undefined)[]): { extraArgs?: Argument[] } {
  // A map keeps a flag of any name. Assigned to an object, "__proto__" would be lost.
  const merged = new Map(sets.flatMap((set = {}) => Object.entries(set)));
  const extraArgs = [...merged].map(([name, value]) => ({ name, value }));
  return extraArgs.length === 0 ? {} : { extraArgs };
}

/** Merges the flags of two sets by component. Those of the second one override those of the first. */
export function mergeComponentArgs(first: ComponentArgs, second: ComponentArgs = {}): ComponentArgs {
  const components = [...new Set([...Object.keys(first), ...Object.keys(second)])] as (keyof ComponentArgs)[];
  return Object.fromEntries(components.map((name) => [name, { ...first[name], ...second[name] }]));
}
