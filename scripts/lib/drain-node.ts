import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { KubeApi } from "../../provider/kube/api";
import { drain, type Drained } from "../../provider/kube/drain";
import type { DrainOptions } from "../../provider/kube/drain-options";
import type { Session } from "./operate";
import { numberOption, type Options } from "./options";
import { stackConfigFile } from "./places";
import { PROJECT } from "./workspace";

export const DRAIN_FLAGS = ["delete-local-data", "delete-unmanaged", "force"];

export type Rules = Pick<Partial<DrainOptions>, "timeout" | "localData" | "unmanaged" | "force" | "onUnreachable" | "stayCordoned">;

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
export async function drainNode(api: KubeApi, stack: string, node: string, rules: Rules, session: Session): Promise<Drained> {
  let said = "";
  const status = (message: string) => {
    if (message !== said) session.progress(message);
    said = message;
  };
  return await drain(api, { ...configuredRules(stack), ...rules, node, signal: session.signal, status });
}

/** The section `drain` from the stack's own file: to read a few words Pulumi's engine is not needed. */
export function configuredRules(stack: string): Rules {
  const file = stackConfigFile(stack);
  if (!existsSync(file)) return {};
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Record<string, Rules | undefined> };
  return config?.[`${PROJECT}:drain`] ?? {};
}
