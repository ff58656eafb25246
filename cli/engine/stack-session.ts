import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { kubeApiFromFile, type KubeApi } from "../../provider/kube/api";
import { npmCommand, type Options } from "../terminal/options";
import { stackFolder } from "./paths";
import { withSession, type Session } from "./session";
import { withStackLock } from "./stack-lock";
import { findStack, prepareEngine, PROJECT } from "./workspace";

/** Runs a command that works on an existing cluster through its API. It holds the stack's lock until its end. */
export async function withCluster(
  options: Options,
  command: string,
  work: (api: KubeApi, session: Session) => Promise<number>,
): Promise<number> {
  return await withLockedSession(options, command, async (session) => work(await clusterApi(options.stack), session));
}

/** Runs a command that works on an existing stack through Pulumi. It holds the stack's lock until its end. */
export async function withStack(
  options: Options,
  command: string,
  work: (stack: Stack, session: Session) => Promise<number>,
): Promise<number> {
  return await withLockedSession(options, command, async (session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await findStack(options.stack);
    if (!stack) throw missingCluster(options.stack);
    return await work(stack, session);
  });
}

async function withLockedSession(
  options: Options,
  command: string,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  return await withSession(options.stack, (session) =>
    withStackLock(options.stack, PROJECT, `npm run ${command}`, () => work(session)),
  );
}

/** Connects to the API with the kubeconfig that `npm start` wrote. */
export async function clusterApi(stack: string): Promise<KubeApi> {
  const path = join(stackFolder(stack), "kubeconfig");
  if (!existsSync(path)) throw missingCluster(stack);
  return await kubeApiFromFile(path);
}

export function missingCluster(stack: string): StepError {
  return new StepError({
    step: "reading the stack",
    cause: `stack "${stack}" has no cluster`,
    action: `create one with \`${npmCommand("start", stack)}\``,
  });
}
