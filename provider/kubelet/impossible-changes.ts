import type { Inputs } from "../../contracts/contract";
import type { kubeletJoinContract } from "../../contracts/kubelet/join";
import type { unitContract } from "../../contracts/host/unit";
import { KUBELET_CONFIGURATION, KUBELET_SETTINGS } from "../../render/kubelet";
import { SOCKETS } from "../../render/runtime";
import { networkProblem } from "../kubeadm/impossible-changes";
import type { Problem } from "../rpc/handler";

type UnitInputs = Partial<Inputs<typeof unitContract>>;
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

/** Feature gate that a kubelet of Docker needs since 1.36, and that the version before does not know. */
const GATE = "ExtendWebSocketsToKubelet";

/**
 * Finds a feature gate that a kubelet without kubeadm would get before its new program, with which it would exit: the
 * unit writes the settings, and the node replaces the program later.
 */
export function findUnknownGate(now: UnitInputs, old: UnitInputs): Problem[] {
  if (now.instance === undefined || now.instance !== old.instance || now.keepsProgram !== true) return [];
  const hasGate = (inputs: UnitInputs) => textOf(inputs, KUBELET_SETTINGS).includes(GATE);
  if (!textOf(now, KUBELET_CONFIGURATION).includes(SOCKETS.docker) || !hasGate(now) || hasGate(old)) return [];
  const reason = "upgrading to 1.36.0 or later with runtime docker is not supported yet; set it back";
  return [{ path: "kubernetes.version", reason }];
}

/** Returns the text of a unit's file; an empty text where a preview does not know it. */
function textOf({ files }: UnitInputs, path: string): string {
  const file: Partial<{ content: string }> | undefined = files?.[path];
  return file?.content ?? "";
}
