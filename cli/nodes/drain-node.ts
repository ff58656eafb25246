import { existsSync, readFileSync } from "node:fs";
import type { Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import type { KubeApi } from "../../provider/kube/api";
import type { MachineState } from "../../provider/kube/dead-node";
import { drain, type DrainResult } from "../../provider/kube/drain";
import type { DrainOptions } from "../../provider/kube/drain-options";
import { createProviderContext } from "../../provider/context/context";
import { proveMachineGone } from "../../provider/resources/machine-gone";
import { rejectOtherMachine } from "../../provider/resources/other-machine";
import { stackConfigFile } from "../engine/paths";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { recordedMachine } from "../engine/state";
import { PROJECT } from "../engine/project-folder";
import { numberOption, type Options } from "../terminal/options";

export type DrainSettings = Pick<
  Partial<DrainOptions>,
  "timeout" | "localData" | "unmanaged" | "force" | "onUnreachable" | "stayCordoned" | "fence" | "gracePeriod"
>;

/** Returns the drain settings of the command line alone. */
export function drainSettings(options: Options): DrainSettings {
  const { flags } = options;
  return optional({
    timeout: numberOption(options, "timeout"),
    localData: flags.has("delete-local-data") ? "delete" : undefined,
    unmanaged: flags.has("delete-unmanaged") ? "delete" : undefined,
    force: flags.has("force") || undefined,
    stayCordoned: flags.has("keep-cordoned") || undefined,
  } as const);
}

/**
 * Drains a node with the configured settings, overridden by those of the command line. Prints the progress when it
 * changes.
 */
export async function drainNode(
  api: KubeApi,
  stack: Stack,
  node: string,
  settings: DrainSettings,
  session: Session,
): Promise<DrainResult> {
  let previous = "";
  const status = (message: string) => {
    if (message !== previous) session.progress(message);
    previous = message;
  };
  const isGone = (deadline: number) => readMachineState(stack, node, session, deadline);
  return await drain(api, {
    ...configuredDrain(stack.name),
    ...settings,
    node,
    signal: session.signal,
    status,
    isGone,
  });
}

/**
 * Refuses a separate drain before a run while another machine answers at the node's address. The run itself would only
 * refuse after that drain.
 */
export async function verifyNodeMachine(
  api: KubeApi,
  stack: Stack,
  node: string,
  settings: DrainSettings,
  { signal, provider }: Session,
): Promise<void> {
  const [machine, { recovery }] = await Promise.all([recordedMachine(stack, node), readStackConfig(stack)]);
  const { abandoned = [], acceptHostKeys = {} } = recovery ?? {};
  const context = createProviderContext({ ...provider.settings, abandoned, acceptHostKeys });
  try {
    const drain = { ...configuredDrain(stack.name), ...settings };
    await rejectOtherMachine(context, api, { ...machine, node, drain }, signal);
  } finally {
    context.connections.closeAll();
  }
}

/** Only needed for a node that is not Ready. */
async function readMachineState(
  stack: Stack,
  node: string,
  { signal, provider }: Session,
  deadline: number,
): Promise<MachineState> {
  try {
    const machine = { ...(await recordedMachine(stack, node)), fence: configuredDrain(stack.name).fence };
    return await proveMachineGone(provider, machine, { signal, deadline });
  } catch (error) {
    signal.throwIfAborted();
    return { gone: false, reason: messageOf(error) };
  }
}

/** Reads the `drain` section of the stack's configuration file, without the engine. */
export function configuredDrain(stack: string): DrainSettings {
  const file = stackConfigFile(stack);
  if (!existsSync(file)) return {};
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as {
    config?: Record<string, DrainSettings | undefined>;
  };
  return config?.[`${PROJECT}:drain`] ?? {};
}
