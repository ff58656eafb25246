import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { type KubeApi, kubeApiFromFile } from "../../provider/kube/api";
import { inSession, type Session } from "./operate";
import { npmCommand, type Options } from "../terminal/options";
import { stackFolder } from "./paths";
import { withStackLock } from "./stack-lock";
import { PROJECT, findStack, prepareEngine } from "./workspace";

/** A command on a cluster that is there, alone with it until its end. */
export async function onCluster(
  options: Options,
  command: string,
  work: (api: KubeApi, session: Session) => Promise<number>,
): Promise<number> {
  return await alone(options, command, async (session) => await work(await clusterApi(options.stack), session));
}

/** A command that changes the stack through Pulumi, alone with it until its end. */
export async function onStack(
  options: Options,
  command: string,
  work: (stack: Stack, session: Session) => Promise<number>,
): Promise<number> {
  return await alone(options, command, async (session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await findStack(options.stack);
    if (!stack) throw noCluster(options.stack);
    return await work(stack, session);
  });
}

async function alone(options: Options, command: string, work: (session: Session) => Promise<number>): Promise<number> {
  return await inSession(options.stack, (session) =>
    withStackLock(options.stack, PROJECT, `npm run ${command}`, () => work(session)),
  );
}

/** The API as the administrator, from the kubeconfig that `npm start` wrote. */
export async function clusterApi(stack: string): Promise<KubeApi> {
  const path = join(stackFolder(stack), "kubeconfig");
  if (!existsSync(path)) throw noCluster(stack);
  return await kubeApiFromFile(path);
}

function noCluster(stack: string): StepError {
  return new StepError({
    step: "looking for the cluster",
    cause: `stack "${stack}" has none`,
    action: `make one with \`${npmCommand("start", stack)}\``,
  });
}
