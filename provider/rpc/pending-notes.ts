import type { Change } from "./diff";
import { nameOf, typeOf, type Tasks } from "./tasks";
import { hasUnknown, legible, type Properties, type SecretPaths } from "./values";

/**
 * The planned change of one resource. Secrets and unknown values are replaced by placeholders, as in the engine's
 * events.
 */
export interface PlannedChange {
  urn: string;
  type: string;
  name: string;
  replaced: boolean;
  current: Properties;
  desired: Properties;
  /** Paths that change. */
  paths: string[];
  /** Paths that need a new resource. */
  replacing: string[];
}

/** Describes a planned change for the preview: its disruptions, and the changed lines. */
export type DescribeChange = (change: PlannedChange) => { disruptions: string[]; changes: string[] };

interface Difference {
  current: Properties;
  desired: Properties;
  secrets: SecretPaths;
  changes: readonly Change[];
  replacing: readonly Change[];
}

/**
 * Notes that Diff leaves for Create and Update. Diff knows what changes, but not whether this is a preview; Create and
 * Update know that it is a preview, but not what changes. For deleted resources a preview does not call the provider.
 */
export class PendingNotes {
  private readonly pending = new Map<string, Difference>();

  constructor(
    private readonly tasks: Tasks,
    private readonly describe: DescribeChange | undefined,
  ) {}

  record(urn: string, difference: Difference): void {
    // With an unknown input, the engine only determines which resources are replaced together.
    const isGuess = difference.replacing.length > 0 && hasUnknown(difference.desired);
    this.pending.delete(urn);
    if (this.describe && difference.changes.length > 0 && !isGuess) this.pending.set(urn, difference);
  }

  /** Sends the notes on a resource to the engine, once. */
  async send(urn: string): Promise<void> {
    const difference = this.pending.get(urn);
    if (!difference || !this.describe) return;
    this.pending.delete(urn);
    const { disruptions, changes } = this.describe(plannedChange(urn, difference));
    await this.tasks.run("preview", urn, 0, async (context) => {
      for (const disruption of disruptions) context.warn(disruption);
      if (changes.length > 0) context.info(changes.join("\n"));
    });
  }
}

function plannedChange(urn: string, { current, desired, secrets, changes, replacing }: Difference): PlannedChange {
  const pathsOf = (some: readonly Change[]) => some.map(({ path }) => path);
  return {
    urn,
    type: typeOf(urn),
    name: nameOf(urn),
    replaced: replacing.length > 0,
    current: legible(current, secrets),
    desired: legible(desired, secrets),
    paths: pathsOf(changes),
    replacing: pathsOf(replacing),
  };
}
