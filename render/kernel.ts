/**
 * Kernel modules for containerd's snapshotter, for kube-proxy's rules on bridged pod traffic, and for its connection
 * tracking settings.
 * Source: https://kubernetes.io/docs/setup/production-environment/container-runtimes/
 */
export const kernelModules: readonly string[] = ["overlay", "br_netfilter", "nf_conntrack"];

/** Sysctls by name. Those of the bridge exist only after br_netfilter is loaded. */
export const kernelSysctls: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  // Traffic between pods of one node only crosses the bridge. Replies of a Service must pass the NAT rules too.
  "net.bridge.bridge-nf-call-iptables": "1",
  "net.bridge.bridge-nf-call-ip6tables": "1",
};
