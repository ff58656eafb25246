import type { Argument } from "./kubeadm-types";

export type Args = Readonly<Record<string, string>>;

/** Extra flags by component, without their dashes. A person's flag wins over our default of the same name. */
export interface ComponentArgs {
  apiServer?: Args;
  controllerManager?: Args;
  scheduler?: Args;
  etcd?: Args;
}

/** Our own flags of the control plane. */
export function initDefaults(
  controlPlanes: number,
  nodeMaskSize?: number,
): Required<Pick<ComponentArgs, "controllerManager" | "scheduler">> {
  // Taking the lease costs up to 7 s at first boot, and a lone control plane has nobody to share it with.
  const election: Args = controlPlanes === 1 ? { "leader-elect": "false" } : {};
  const mask: Args = nodeMaskSize === undefined ? {} : { "node-cidr-mask-size": String(nodeMaskSize) };
  // With the default of 20 requests a second it needs 5 s to make the clients of its own controllers.
  const pace: Args = { "kube-api-qps": "200", "kube-api-burst": "400" };
  return { controllerManager: { ...election, ...pace, ...mask }, scheduler: election };
}

/** kubeadm's list of the flags in these sets; where two sets name the same flag, the later one wins. */
export function mergedArguments(...sets: readonly (Args | undefined)[]): { extraArgs?: Argument[] } {
  const extraArgs = Object.entries(Object.assign({}, ...sets) as Args).map(([name, value]) => ({ name, value }));
  return extraArgs.length === 0 ? {} : { extraArgs };
}
