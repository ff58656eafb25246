import type { Stack } from "@pulumi/pulumi/automation";
import { optional } from "../../common/optional";
import type { KubeApi } from "../../provider/kube/api";
import type { Options } from "../terminal/options";
import { clusterApi, requireStack } from "./cluster-api";
import { withSession, type Session } from "./session";
import { withStackLock } from "./stack-lock";
import { PROJECT } from "./project-folder";
import { prepareEngine } from "./workspace";
import { userCommand } from "../../common/user-command";

/**
 * Runs a command that works on an existing stack. It holds the stack's lock until its end.
 * @param afterInterrupt what happens after an interruption, for the message
 */
export async function withStack(
  options: Options,
  command: string,
  work: (stack: Stack, session: Session) => Promise<number>,
  afterInterrupt?: string,
): Promise<number> {
  const locked = async (session: Session) =>
    await withStackLock(options.stack, PROJECT, userCommand(command), async () => {
      await prepareEngine(session.progress, session.signal);
      const stack = await requireStack(options.stack);
      return await work(stack, session);
    });
  return await withSession(options.stack, locked, 1, optional({ afterInterrupt }));
}

/** Runs a command that works on an existing cluster through its API. It holds the stack's lock until its end. */
export async function withCluster(
  options: Options,
  command: string,
  work: (api: KubeApi, stack: Stack, session: Session) => Promise<number>,
): Promise<number> {
  return await withStack(options, command, async (stack, session) =>
    work(await clusterApi(stack, session), stack, session),
  );
}
