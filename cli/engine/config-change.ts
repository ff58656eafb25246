import type { Stack } from "@pulumi/pulumi/automation";
import type { ClusterConfig } from "../../components/config";
import { CommandEnded, type Session } from "./session";
import { changeStackConfig, recordStackConfig, type ConfigChange } from "./stack-config";

export interface ConfiguredRun {
  stack: Stack;
  session: Pick<Session, "signal" | "screen">;
}

/**
 * Changes the stack's configuration and runs `work`. If this ends before any resource is changed, because a value was
 * refused or the user declined, the previous file is restored: otherwise the next run would be refused too, or apply
 * the values unasked. After an interruption or a change the values stay, because the next run continues with them. A
 * message says which of the two happened.
 * @param work returns undefined if the user declined. It calls `keep` once it has run the engine: the values then stay,
 * whatever fails after it
 */
export async function withConfigChange<T>(
  { stack, session }: ConfiguredRun,
  change: ConfigChange,
  work: (config: ClusterConfig, keep: () => void) => Promise<T | undefined>,
): Promise<T | undefined> {
  const restore = recordStackConfig(stack.name);
  let isKept = false;
  const settle = (isUnchanged: boolean) => {
    if (Object.keys(change).length === 0) return;
    session.screen.close();
    if (isUnchanged) restore();
    process.stderr.write(`\n${outcomeText(`Pulumi.${stack.name}.yaml`, change, isUnchanged)}\n`);
  };
  try {
    const result = await work(await changeStackConfig(stack, change), () => (isKept = true));
    if (result === undefined) settle(true);
    return result;
  } catch (error) {
    const isBegun = isKept || (error instanceof CommandEnded && !error.isUnchanged);
    settle(!isBegun && !session.signal.aborted);
    throw error;
  }
}

/** Names the properties without their values, which may be secrets. */
function outcomeText(file: string, change: ConfigChange, isUnchanged: boolean): string {
  const paths = Object.keys(change).join(", ");
  return isUnchanged
    ? `The run ended before it changed a resource, and ${file} was restored, without the change of ${paths}.`
    : `${file} keeps the change of ${paths}: the next run continues with it.`;
}
