import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { messageOf } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { checkMachineGone, type MachineState } from "../../provider/kube/dead-node";
import { drain, type DrainResult } from "../../provider/kube/drain";
import type { DrainOptions } from "../../provider/kube/drain-options";
import type { Session } from "../engine/operate";
import { numberOption, type Options } from "../terminal/options";
import { stackConfigFile } from "../engine/paths";
import { machineMet } from "../engine/state";
import { PROJECT, findStack, prepareEngine } from "../engine/workspace";

export const DRAIN_FLAGS = ["delete-local-data", "delete-unmanaged", "force"];

export type Rules = Pick<
  Partial<DrainOptions>,
  "timeout" | "localData" | "unmanaged" | "force" | "onUnreachable" | "stayCordoned"
>;

/** What the command line says of a drain, and nothing else. */
export function rulesOf(options: Options): Rules {
  const { flags } = options;
  const timeout = numberOption(options, "timeout");
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(flags.has("delete-local-data") ? { localData: "delete" as const } : {}),
    ...(flags.has("delete-unmanaged") ? { unmanaged: "delete" as const } : {}),
    ...(flags.has("force") ? { force: true } : {}),
  };
}

/** Drains as the configuration says, and the command line where it says more; what goes on is shown when it changes. */
export async function drainNode(
  api: KubeApi,
  stack: string,
  node: string,
  rules: Rules,
  session: Session,
): Promise<DrainResult> {
  let said = "";
  const status = (message: string) => {
    if (message !== said) session.progress(message);
    said = message;
  };
  const isGone = () => proofFor(stack, node, session);
  return await drain(api, { ...configuredRules(stack), ...rules, node, signal: session.signal, status, isGone });
}

/** Asked only of a node whose kubelet is silent: so a drain needs no engine otherwise. */
async function proofFor(name: string, node: string, { progress, signal, provider }: Session): Promise<MachineState> {
  try {
    await prepareEngine(progress, signal);
    const stack = await findStack(name);
    if (!stack) return { gone: false, reason: `stack "${name}" has no state that could tell` };
    const { connection, instance } = await machineMet(stack, node);
    return await checkMachineGone(provider.connections.get(connection), instance, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { gone: false, reason: messageOf(error) };
  }
}

/** The section `drain` from the stack's own file: to read a few words Pulumi's engine is not needed. */
export function configuredRules(stack: string): Rules {
  const file = stackConfigFile(stack);
  if (!existsSync(file)) return {};
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Record<string, Rules | undefined> };
  return config?.[`${PROJECT}:drain`] ?? {};
}
