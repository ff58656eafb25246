import { quote } from "../common/quote";
import { template } from "./template";

/**
 * The guard keeps packets for Service and pod addresses from leaving a node by its default route, also before
 * kube-proxy and flannel are set up and after they are removed. Without it, a node could talk to another network that
 * uses the same addresses.
 */
export interface GuardOptions {
  serviceCidr: string;
  podCidr: string;
}

/** Renders /etc/kubewright/guard.nft: the whole table, which can be loaded repeatedly. */
export function guardTable({ serviceCidr }: Pick<GuardOptions, "serviceCidr">): string {
  return template("guard/guard.nft", { SERVICE_CIDR: serviceCidr });
}

/** Returns a shell command that succeeds while the guard's rules and its route are in place. */
export function guardProbe({ serviceCidr, podCidr }: GuardOptions): string {
  const rules = `nft list table inet kubewright | grep -c ${quote(`ip daddr ${serviceCidr} `)}`;
  return `[ "$(${rules})" = 2 ] && ip route show type unreachable ${quote(podCidr)} | grep -q .`;
}

/** Renders kubewright-guard.service, a oneshot unit. Stopping it removes the table and the route. */
export function guardUnit({ podCidr }: Pick<GuardOptions, "podCidr">): string {
  return template("guard/kubewright-guard.service", { POD_CIDR: podCidr });
}
