import type { Argument } from "./kubeadm-types";

export type Args = Readonly<Record<string, string>>;

/** Extra flags by component, without leading dashes. They override Kubewright's defaults of the same name. */
export interface ComponentArgs {
  apiServer?: Args;
  controllerManager?: Args;
  scheduler?: Args;
  etcd?: Args;
}

/** Returns Kubewright's default flags of the control plane. */
export function initDefaults(
  controlPlanes: number,
  nodeMaskSize?: number,
): Required<Pick<ComponentArgs, "controllerManager" | "scheduler">> {
  // Acquiring the lease takes up to 7 s at the first boot, and a single control plane does not need it.
  const election: Args = controlPlanes === 1 ? { "leader-elect": "false" } : {};
  const mask: Args = nodeMaskSize === undefined ? {} : { "node-cidr-mask-size": String(nodeMaskSize) };
  // With the default of 20 requests per second, it needs 5 s to create the clients of its controllers.
  const rate: Args = { "kube-api-qps": "200", "kube-api-burst": "400" };
  return { controllerManager: { ...election, ...rate, ...mask }, scheduler: election };
}

/** Merges sets of flags to kubeadm's list. Later sets override earlier ones. */
export function mergedArguments(...sets: readonly (Args | undefined)[]): { extraArgs?: Argument[] } {
  // A map keeps a flag of any name. Assigned to an object, "__proto__" would be lost.
  const merged = new Map(sets.flatMap((set = {}) => Object.entries(set)));
  const extraArgs = [...merged].map(([name, value]) => ({ name, value }));
  return extraArgs.length === 0 ? {} : { extraArgs };
}
