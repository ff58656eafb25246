import { differencesOf } from "./plan/differences";
import type { Step, Values } from "./plan/step";
import { sayingOf } from "./plan/vocabulary";
import { labelOf } from "./text";

/** What was found, in the words of an operator; a diff of text is several lines. */
export function driftWords(step: Step): string[] {
  const { op, urn, kind, wanted } = step;
  if (op === "delete") return [`${labelOf(urn)} is no longer configured, and would be taken away`];
  if (op === "create") return [GONE[kind]?.(wanted) ?? `${labelOf(urn)} is gone`];
  if (op === "replace") return [kind === "Host" || "instance" in wanted ? "the machine was rebuilt: everything on it is made anew" : `${labelOf(urn)} is made anew`];
  return differencesOf(step).map((one) => `${one.of === "property" ? `${labelOf(urn)}: ` : ""}${sayingOf(one, "found")}`);
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
