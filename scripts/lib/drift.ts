import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { Session } from "./operate";
import { labelOf } from "./text";
import { findStack, prepareEngine } from "./workspace";

/** What an `up` with refresh would mend: every machine is looked at, which takes seconds. */
export async function driftOf(name: string, session: Session): Promise<string[]> {
  await prepareEngine(session.progress, session.signal);
  const stack = await findStack(name);
  const found: string[] = [];
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const { op, urn, type } = resourcePreEvent?.metadata ?? {};
    if (op && urn && !["same", "refresh", "read"].includes(op) && !type?.startsWith("pulumi:")) found.push(labelOf(urn));
  };
  await stack?.preview({ refresh: true, onEvent, signal: session.signal, color: "never" });
  return [...new Set(found)];
}
