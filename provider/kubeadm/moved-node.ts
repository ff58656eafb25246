import type { Inputs } from "../../contracts/contract";
import type { controlPlaneContract } from "../../contracts/kubeadm/control-plane";
import type { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import type { InitConfiguration } from "../../render/kubeadm-types";
import type { Problem } from "../rpc/handler";
import { initConfiguration, isSameMachine } from "./impossible-changes";

type ControlPlaneInputs = Partial<Inputs<typeof controlPlaneContract>>;
type JoinInputs = Partial<Inputs<typeof kubeadmJoinContract>>;

/** A living control plane keeps its address: etcd's peers and certificates, and kubeconfigs, have it. */
export function findMovedControlPlane(inputs: ControlPlaneInputs, old: ControlPlaneInputs): Problem[] {
  if (!isSameMachine(inputs, old)) return [];
  const node = `control plane ${old.node ?? ""}`;
  return findMove(node, "etcd and its certificates keep", addressOf(old), addressOf(inputs));
}

/** A worker that has joined keeps its address: its kubelet and the pod network use it. */
export function findMovedWorker(inputs: JoinInputs, old: JoinInputs): Problem[] {
  if (!isSameMachine(inputs, old) || inputs.document?.controlPlane !== undefined) return [];
  const node = `worker ${old.document?.nodeRegistration.name ?? ""}`;
  return findMove(node, "its kubelet and the pod network keep", nodeAddressOf(old), nodeAddressOf(inputs));
}

function findMove(node: string, keeps: string, before: string | undefined, now: string | undefined): Problem[] {
  if (now === undefined || before === undefined || now === before) return [];
  const reason =
    `the address of ${node} cannot change from ${before} to ${now}, because ${keeps} the old one; set the address of ` +
    "the machine back, or remove this node from the configuration, and add the machine again in the next run";
  return [{ path: "machines", reason }];
}

function addressOf({ documents = [] }: ControlPlaneInputs): string | undefined {
  const init: Partial<InitConfiguration> | undefined = initConfiguration({ documents: [...documents] });
  return init?.localAPIEndpoint?.advertiseAddress;
}

function nodeAddressOf({ document }: JoinInputs): string | undefined {
  return document?.nodeRegistration.kubeletExtraArgs?.find(({ name }) => name === "node-ip")?.value;
}
