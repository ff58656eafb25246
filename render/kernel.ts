import type { HostFacts } from "./facts";

/**
 * Kernel modules for containerd's snapshotter, for kube-proxy's rules on bridged pod traffic, and for its connection
 * tracking settings.
 * Source: https://kubernetes.io/docs/setup/production-environment/container-runtimes/
 */
export const kernelModules: readonly string[] = ["overlay", "br_netfilter", "nf_conntrack"];

/** Connections that kube-proxy tracks at most: for each CPU, and at least. */
const CONNECTIONS_PER_CPU = 32_768;
const LEAST_CONNECTIONS = 131_072;

/**
 * Returns sysctls by name. Those of the bridge exist only after br_netfilter is loaded, those of connection tracking
 * after nf_conntrack.
 */
export function kernelSysctls(facts: Pick<HostFacts, "cpus" | "conntrackWritable">): Record<string, string> {
  return {
    "net.ipv4.ip_forward": "1",
    // Traffic between pods of one node only crosses the bridge. Replies of a Service must pass the NAT rules too.
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
    ...(facts.conntrackWritable ? conntrackSysctls(facts) : {}),
  };
}

/**
 * Returns kube-proxy's defaults for connection tracking. kube-proxy itself has one configuration for all machines, and
 * exits on those where it cannot write them.
 * Source: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
 */
function conntrackSysctls({ cpus }: Pick<HostFacts, "cpus">): Record<string, string> {
  return {
    "net.netfilter.nf_conntrack_max": String(Math.max(LEAST_CONNECTIONS, CONNECTIONS_PER_CPU * cpus)),
    "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
  };
}
