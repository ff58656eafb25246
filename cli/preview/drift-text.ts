import { differencesOf } from "../../provider/preview/differences";
import { messageOf } from "../../provider/preview/messages";
import { labelOfStep, type Step, type Values } from "../../provider/preview/step";

/** Describes the drift of one resource; the diff of a text has several lines. */
export function driftMessages(step: Step): string[] {
  const { op, kind, desired } = step;
  if (op === "delete") return [`${labelOfStep(step)} is no longer configured and will be removed`];
  if (op === "create") return [MISSING[kind]?.(desired) ?? `${labelOfStep(step)} is missing`];
  if (op === "replace")
    return [
      kind === "Host" || "instance" in desired
        ? "the machine was rebuilt: everything on it will be set up again"
        : `${labelOfStep(step)} will be replaced`,
    ];
  return differencesOf(step).map(
    (one) => `${one.of === "property" ? `${labelOfStep(step)}: ` : ""}${messageOf(one, "drift")}`,
  );
}

const MISSING: Record<string, (desired: Values) => string> = {
  Node: ({ node }) => `node ${String(node)} is not in the cluster`,
  Join: () => "the machine is not a member of the cluster: it will join again",
  Init: () => "the control plane is missing: the cluster will be initialized again",
  Machine: () => "the machine is missing: it will be recreated",
  Unit: ({ unit }) => `all files of ${String(unit)} are missing`,
  Binaries: () => "all binaries are missing",
  Files: () => "all files are missing",
  Kubeconfig: ({ path }) => `the kubeconfig ${String(path)} is missing`,
};
