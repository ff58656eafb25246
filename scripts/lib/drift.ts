import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import type { Session } from "./operate";
import { labelOf } from "./text";

/** What an `up` with refresh would mend: every machine is looked at, which takes seconds. */
export async function driftOf(stack: Stack, session: Session): Promise<string[]> {
  const found: string[] = [];
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const { op, urn, type } = resourcePreEvent?.metadata ?? {};
    if (op && urn && !["same", "refresh", "read"].includes(op) && !type?.startsWith("pulumi:")) found.push(labelOf(urn));
  };
  await stack.preview({ refresh: true, onEvent, signal: session.signal, color: "never" });
  return [...new Set(found)];
}
