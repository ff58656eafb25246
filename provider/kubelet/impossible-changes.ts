import type { Inputs } from "../../contracts/contract";
import type { kubeletJoinContract } from "../../contracts/kubelet/join";
import { networkProblem } from "../kubeadm/impossible-changes";
import type { Problem } from "../rpc/handler";

type JoinInputs = Partial<Inputs<typeof kubeletJoinContract>>;

/**
 * Finds changes that would break an existing cluster that was built by components. Only the first control plane has the
 * cluster's ranges, so each problem is reported once. The paths are those of the stack's configuration.
 */
export function findImpossibleChanges(now: JoinInputs, old: JoinInputs): Problem[] {
  // A rebuilt machine gets a new cluster, for which everything may change.
  if (now.instance === undefined || now.instance !== old.instance || !now.ranges || !old.ranges) return [];
  return [
    networkProblem("network.podCidr", now.ranges.podCidr, old.ranges.podCidr),
    networkProblem("network.serviceCidr", now.ranges.serviceCidr, old.ranges.serviceCidr),
    networkProblem("controlPlane.endpoint", now.endpoint, old.endpoint),
  ].flat();
}
