import type { Stack } from "@pulumi/pulumi/automation";
import { editState } from "./edit-state";

interface ResourceState {
  type: string;
  urn: string;
  parent?: string;
}

const ALL = "all";
const WORKER = /\bkubewright:components:Worker::(.+)$/;
const BEFORE_DRAIN = /\bcommand:remote:Command::.+-before-drain-/;

/**
 * Removes the commands before a drain of abandoned machines from the state. They are another package's resources, so
 * the provider cannot skip them: each would try to reach its machine, and the node could not be removed.
 * @param abandoned names of machines, or `all`
 */
export async function forgetCommands(stack: Stack, abandoned: readonly string[]): Promise<void> {
  if (abandoned.length === 0) return;
  const isAbandoned = (machine: string) => abandoned.includes(ALL) || abandoned.includes(machine);
  const isForgotten = ({ urn, parent = "" }: ResourceState) =>
    BEFORE_DRAIN.test(urn) && isAbandoned(WORKER.exec(parent)?.[1] ?? "");
  await editState<{ resources?: ResourceState[] }>(stack, (state) => {
    const { resources = [] } = state;
    const kept = resources.filter((resource) => !isForgotten(resource));
    return kept.length < resources.length ? { ...state, resources: kept } : undefined;
  });
}
