import type { Stack } from "@pulumi/pulumi/automation";
import type { Session } from "../engine/session";
import type { MachineState } from "../engine/state";
import { runPreview } from "../preview/run-preview";
import { labelOf } from "../terminal/text";

/** Changes that are listed before the rest is only counted. */
const MAX_CHANGES = 8;
/** Resources of the whole cluster, which change whenever a machine does. */
const CLUSTER_WIDE = /kubewright:(cluster:(Preflight|Roster)|host:Hosts|components:)/;
const VERBS: Record<string, string> = { create: "created", update: "changed", replace: "replaced", delete: "removed" };

/**
 * Lists what else the configuration will change in the run that replaces a node.
 * @param replace URNs of the resources to replace
 */
export async function otherChanges(
  stack: Stack,
  name: string,
  state: MachineState,
  replace: string[],
  session: Session,
): Promise<string[]> {
  const { steps } = await runPreview(stack, session, { replace });
  const others = steps.filter(
    (step) => VERBS[step.op] !== undefined && !CLUSTER_WIDE.test(step.type) && !isOf(step.urn, name, state),
  );
  const lines = others.map(({ urn, op }) => `${labelOf(urn)} is ${VERBS[op] ?? op}`);
  if (lines.length <= MAX_CHANGES) return lines;
  return [...lines.slice(0, MAX_CHANGES), `and ${lines.length - MAX_CHANGES} more`];
}

function isOf(urn: string, name: string, { machine, contents }: MachineState): boolean {
  return urn === machine || contents.includes(urn) || urn.endsWith(`::${name}-host`);
}
