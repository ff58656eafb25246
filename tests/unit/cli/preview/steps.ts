import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { type Values } from "../../../../provider/preview/step";
import { stepsOf } from "../../../../cli/preview/events";
import type { Foreseen } from "../../../../cli/preview/run-preview";

interface Event {
  found?: Values;
  wanted?: Values;
  paths?: readonly string[];
  replacing?: readonly string[];
  keys?: readonly string[];
}

/** A step as the engine tells it: `event("update", "host:Unit", "worker-1-kubelet", ...)`. */
export function event(
  op: string,
  type: string,
  name: string,
  { found, wanted, paths = [], replacing = [], keys }: Event = {},
): StepEventMetadata {
  const whole = `kubewright:${type}`;
  const state = (inputs: Values) => ({ type: whole, urn: "", id: "", parent: "", provider: "", inputs, outputs: {} });
  const kinds = (at: readonly string[], diffKind: string) =>
    at.map((path) => [path, { diffKind, inputDiff: true }] as const);
  const detailedDiff = Object.fromEntries([...kinds(paths, "update"), ...kinds(replacing, "update-replace")]);
  return {
    op,
    type: whole,
    provider: "urn:provider",
    urn: `urn:pulumi:dev::kubewright::kubewright:components:Cluster$${whole}::${name}`,
    detailedDiff,
    ...(found ? { old: state(found) } : {}),
    ...(wanted ? { new: state(wanted) } : {}),
    ...(keys ? { keys } : {}),
  } as unknown as StepEventMetadata;
}

export function foreseen(...events: readonly StepEventMetadata[]): Foreseen {
  return { steps: stepsOf(events), notices: [] };
}

export const on = (name: string) => ({ connection: { name, host: "10.0.0.9" } });

/** What stays as it is of a cluster with one worker. */
export function atRest(op = "same"): StepEventMetadata[] {
  return [
    event(op, "docker:Machine", "worker-1", { found: { image: "machine:a" }, wanted: { image: "machine:a" } }),
    event(op, "host:Host", "worker-1-host", { found: on("worker-1"), wanted: on("worker-1") }),
    event(op, "kubeadm:Join", "worker-1-join", { found: on("worker-1"), wanted: on("worker-1") }),
    event(op, "kube:Node", "worker-1-node", { found: { node: "worker-1" }, wanted: { node: "worker-1" } }),
  ];
}

export const firstControlPlane: readonly StepEventMetadata[] = [
  event("same", "docker:Machine", "control-plane-1", { found: {}, wanted: {} }),
  event("same", "host:Host", "control-plane-1-host", { found: on("control-plane-1"), wanted: on("control-plane-1") }),
];
