import { differencesOf } from "../../provider/preview/differences";
import { labelOfStep, type Step, type Values } from "../../provider/preview/step";
import { sayingOf } from "../../provider/preview/messages";

/** What was found, in the words of an operator; a diff of text is several lines. */
export function driftWords(step: Step): string[] {
  const { op, kind, wanted } = step;
  if (op === "delete") return [`${labelOfStep(step)} is no longer configured, and would be taken away`];
  if (op === "create") return [GONE[kind]?.(wanted) ?? `${labelOfStep(step)} is gone`];
  if (op === "replace")
    return [
      kind === "Host" || "instance" in wanted
        ? "the machine was rebuilt: everything on it is made anew"
        : `${labelOfStep(step)} is made anew`,
    ];
  return differencesOf(step).map(
    (one) => `${one.of === "property" ? `${labelOfStep(step)}: ` : ""}${sayingOf(one, "found")}`,
  );
}

const GONE: Record<string, (wanted: Values) => string> = {
  Node: ({ node }) => `the node ${String(node)} is not in the cluster any more`,
  Join: () => "the machine is no member any more: it joins again",
  Init: () => "there is no control plane on it any more: it is made anew",
  Machine: () => "the machine is gone: it is made anew",
  Unit: ({ unit }) => `all files of ${String(unit)} are gone`,
  Binaries: () => "all binaries are gone",
  Files: () => "all files are gone",
  Kubeconfig: ({ path }) => `the kubeconfig ${String(path)} is gone`,
};
