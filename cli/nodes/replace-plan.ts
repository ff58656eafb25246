import type { Stack } from "@pulumi/pulumi/automation";
import type { Session } from "../engine/operate";
import { foresee } from "../preview/run-preview";
import type { MachineState } from "../engine/state";
import { labelOf } from "../terminal/text";

const SHOWN = 8;
/** Of the whole cluster; they change whenever any machine does. */
const ABOUT_ALL = /kubewright:(cluster:(Preflight|Roster)|host:Hosts|components:)/;
const PHRASES: Record<string, string> = { create: "made", update: "changed", replace: "made anew", delete: "removed" };

/**
 * What an `up` would change beside this machine: the configuration may hold more than the person thinks of now.
 * @param replace urns that are made anew
 */
export async function otherChanges(
  stack: Stack,
  name: string,
  state: MachineState,
  replace: string[],
  session: Session,
): Promise<string[]> {
  const { steps } = await foresee(stack, session, { replace });
  const others = steps.filter(
    (step) => PHRASES[step.op] !== undefined && !ABOUT_ALL.test(step.type) && !isOf(step.urn, name, state),
  );
  const lines = others.map(({ urn, op }) => `${labelOf(urn)} is ${PHRASES[op] ?? op}`);
  return lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
}

function isOf(urn: string, name: string, { machine, contents }: MachineState): boolean {
  return urn === machine || contents.includes(urn) || urn.endsWith(`::${name}-host`);
}
