/**
 * What containerd and kube-proxy need of the kernel.
 * Source: https://kubernetes.io/docs/setup/production-environment/container-runtimes/
 */

/** containerd's snapshotter, and bridged pod traffic that kube-proxy's rules must see. */
export const kernelModules: readonly string[] = ["overlay", "br_netfilter"];

/** Sysctls by name; those of the bridge exist only once br_netfilter is loaded. */
export const kernelSysctls: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  // Traffic between pods of one node crosses the bridge only: a Service needs its replies to pass the NAT rules too.
  "net.bridge.bridge-nf-call-iptables": "1",
  "net.bridge.bridge-nf-call-ip6tables": "1",
};
