import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { type Values } from "../../../../provider/preview/step";
import { stepsOf } from "../../../../cli/engine/events";
import type { PreviewResult } from "../../../../cli/preview/run-preview";

interface Event {
  current?: Values;
  desired?: Values;
  paths?: readonly string[];
  replacing?: readonly string[];
  keys?: readonly string[];
}

/** A step as the engine reports it: `event("update", "host:Unit", "worker-1-kubelet", ...)`. */
export function event(
  op: string,
  type: string,
  name: string,
  { current, desired, paths = [], replacing = [], keys }: Event = {},
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
    ...(current ? { old: state(current) } : {}),
    ...(desired ? { new: state(desired) } : {}),
    ...(keys ? { keys } : {}),
  } as unknown as StepEventMetadata;
}

export function previewOf(...events: readonly StepEventMetadata[]): PreviewResult {
  return { steps: stepsOf(events), notices: [] };
}

export const on = (name: string) => ({ connection: { name, host: "10.0.0.9" } });

/** The resources of one worker, unchanged by default. */
export function atRest(op = "same"): StepEventMetadata[] {
  return [
    event(op, "docker:Machine", "worker-1", { current: { image: "machine:a" }, desired: { image: "machine:a" } }),
    event(op, "host:Host", "worker-1-host", { current: on("worker-1"), desired: on("worker-1") }),
    event(op, "kubeadm:Join", "worker-1-join", { current: on("worker-1"), desired: on("worker-1") }),
    event(op, "kube:Node", "worker-1-node", { current: { node: "worker-1" }, desired: { node: "worker-1" } }),
  ];
}

export const firstControlPlane: readonly StepEventMetadata[] = [
  event("same", "docker:Machine", "control-plane-1", { current: {}, desired: {} }),
  event("same", "host:Host", "control-plane-1-host", {
    current: on("control-plane-1"),
    desired: on("control-plane-1"),
  }),
];
