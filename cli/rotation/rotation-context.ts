import type { Context } from "../../provider/rpc/handler";
import type { Session } from "../engine/session";

/** Returns a session as a context of the provider, whose messages are lines of the command. */
export function rotationContext(session: Session, machine: string): Context {
  const { provider, signal, progress } = session;
  const report = (message: string) => progress(`${machine}: ${message}`);
  return {
    ...provider,
    ...{ urn: "", name: "rotate-ca", signal },
    ...{ status: report, info: report, warn: (message: string) => report(`warning: ${message}`) },
    ...{ begin: () => undefined, undo: () => undefined },
  };
}
