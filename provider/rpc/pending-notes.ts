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
  found: Properties;
  wanted: Properties;
  /** Paths that change. */
  paths: string[];
  /** Paths that need a new resource. */
  replacing: string[];
}

/** Describes a planned change for the person who previews: what it disrupts, and what changes. */
export type DescribeChange = (change: PlannedChange) => { disruptions: string[]; changes: string[] };

interface Difference {
  found: Properties;
  wanted: Properties;
  secrets: SecretPaths;
  changes: readonly Change[];
  replacing: readonly Change[];
}

/**
 * Notes that Diff leaves for Create and Update. Diff knows what changes, but not whether this is a preview; Create and
 * Update know that it is a preview, but not what changes. In a preview the engine asks nothing about deleted resources.
 */
export class PendingNotes {
  private readonly pending = new Map<string, Difference>();

  constructor(
    private readonly tasks: Tasks,
    private readonly describe: DescribeChange | undefined,
  ) {}

  record(urn: string, difference: Difference): void {
    // With an unknown input the engine asks which resources are replaced together: that is not this resource's own
    // change.
    const isGuess = difference.replacing.length > 0 && hasUnknown(difference.wanted);
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

function plannedChange(urn: string, { found, wanted, secrets, changes, replacing }: Difference): PlannedChange {
  const pathsOf = (some: readonly Change[]) => some.map(({ path }) => path);
  return {
    urn,
    type: typeOf(urn),
    name: nameOf(urn),
    replaced: replacing.length > 0,
    found: legible(found, secrets),
    wanted: legible(wanted, secrets),
    paths: pathsOf(changes),
    replacing: pathsOf(replacing),
  };
}
