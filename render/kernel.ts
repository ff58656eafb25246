import { template } from "./template";

/** Loaded at boot by systemd-modules-load; whoever writes the file also loads them now, where they are not built in. */
export const kernelModules: readonly string[] = ["overlay", "br_netfilter"];

/** /etc/modules-load.d/kubewright.conf */
export function modulesFile(): string {
  return template("kernel/modules.conf");
}

/** /etc/sysctl.d/99-kubewright.conf; its bridge settings exist only once br_netfilter is loaded. */
export function sysctlFile(): string {
  return template("kernel/sysctl.conf");
}
