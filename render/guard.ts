import { template } from "./template";

/**
 * Packets for service or pod addresses never leave a node by its default route, also before kube-proxy and flannel have programmed
 * it and after they are gone. Without it another cluster, or whatever answers at 10.10.0.1 beyond the router, is taken for ours.
 */
export interface GuardOptions {
  serviceCidr: string;
  podCidr: string;
}

/** /etc/kubewright/guard.nft: the whole table, safe to load again. */
export function guardTable({ serviceCidr }: Pick<GuardOptions, "serviceCidr">): string {
  return template("guard/guard.nft", { SERVICE_CIDR: serviceCidr });
}

/** kubewright-guard.service: oneshot, and stopping it undoes all it did. */
export function guardUnit({ podCidr }: Pick<GuardOptions, "podCidr">): string {
  return template("guard/kubewright-guard.service", { POD_CIDR: podCidr });
}
