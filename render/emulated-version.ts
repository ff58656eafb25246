import semver from "semver";
import { type ComponentArgs, mergeComponentArgs } from "./kubeadm-args";
import type { ClusterConfiguration } from "./kubeadm-types";

export const EMULATED_VERSION = "emulated-version";

/** Returns the minor version before a version: `1.35` for `1.36.3`. */
export function previousMinor(version: string): string {
  return `${semver.major(version)}.${semver.minor(version) - 1}`;
}

/**
 * Adds the flags with which the components of a control plane behave as those of the minor version before. The API
 * server then stores objects as that version does, so an upgrade can be undone. Flags of the user have priority.
 * https://kubernetes.io/docs/concepts/cluster-administration/compatibility-version/
 */
export function withEmulation(args: ComponentArgs | undefined, version: string): ComponentArgs {
  const flag = { [EMULATED_VERSION]: `kube=${previousMinor(version)}` };
  return mergeComponentArgs({ apiServer: flag, controllerManager: flag, scheduler: flag }, args);
}

/** Returns the minor version that the API server emulates: `1.35`. */
export function emulatedVersionOf({ apiServer }: Partial<ClusterConfiguration>): string | undefined {
  const value = apiServer?.extraArgs?.find(({ name }) => name === EMULATED_VERSION)?.value;
  return value?.replace(/^kube=/, "");
}
