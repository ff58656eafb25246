import type { Stack } from "@pulumi/pulumi/automation";
import type { Remote } from "../../provider/ssh/remote";
import type { Session } from "./session";
import { controlPlanes, machineConnections } from "./state";

/** Returns the stack's control planes, on which scripts run over SSH. */
export async function controlPlaneRemotes(stack: Stack, { provider }: Pick<Session, "provider">): Promise<Remote[]> {
  return (await controlPlanes(stack)).map((connection) => provider.connections.get(connection));
}

/** Returns all machines of the stack, on which scripts run over SSH. */
export async function machineRemotes(stack: Stack, { provider }: Pick<Session, "provider">): Promise<Remote[]> {
  return (await machineConnections(stack)).map((connection) => provider.connections.get(connection));
}
