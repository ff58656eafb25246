import type { Stack } from "@pulumi/pulumi/automation";
import { optional } from "../../common/optional";
import { editState } from "./edit-state";

/** What a resource of the state depends on, other than its parent and its provider. */
interface Dependent {
  urn: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
}

/**
 * Removes from the state the dependencies of all other resources on these, so that the engine can delete these alone:
 * it deletes a resource only together with everything that depends on it. All workers' nodes depend on all control
 * planes, for example. The next `up` records the dependencies again.
 */
export async function detachResources(stack: Stack, urns: readonly string[]): Promise<void> {
  const detached = new Set(urns);
  const isAttached = (one: Dependent) => !detached.has(one.urn) && dependenciesOf(one).some((urn) => detached.has(urn));
  await editState<{ resources?: Dependent[] }>(stack, (state) => {
    const { resources = [] } = state;
    if (!resources.some(isAttached)) return undefined;
    const updated = resources.map((one) => (isAttached(one) ? withoutDependencies(one, detached) : one));
    return { ...state, resources: updated };
  });
}

function dependenciesOf({ dependencies = [], propertyDependencies = {} }: Dependent): string[] {
  return [...dependencies, ...Object.values(propertyDependencies).flat()];
}

function withoutDependencies(
  { dependencies, propertyDependencies, ...resource }: Dependent,
  removed: ReadonlySet<string>,
): Dependent {
  const keep = (urns: readonly string[]) => urns.filter((urn) => !removed.has(urn));
  const entries = propertyDependencies && Object.entries(propertyDependencies);
  return {
    ...resource,
    ...optional({
      dependencies: dependencies && keep(dependencies),
      propertyDependencies: entries && Object.fromEntries(entries.map(([name, urns]) => [name, keep(urns)])),
    }),
  };
}
