import type { Change } from "./diff";
import { nameOf, typeOf, type Tasks } from "./tasks";
import { hasUnknown, legible, type Properties, type SecretPaths } from "./values";

/** What is to become of one resource, as the engine's events say it: secrets and unknowns are words. */
export interface Foresight {
  urn: string;
  type: string;
  name: string;
  replaced: boolean;
  found: Properties;
  wanted: Properties;
  paths: string[];
  /** Those that need a new resource. */
  replacing: string[];
}

/** In words, for the person who previews: what disrupts, and what changes. */
export type Foretell = (foresight: Foresight) => { disruptions: string[]; changes: string[] };

interface Difference {
  found: Properties;
  wanted: Properties;
  secrets: SecretPaths;
  changes: readonly Change[];
  replacing: readonly Change[];
}

/**
 * Diff knows what changes and not whether this is a preview; Create and Update are told that, and not what changes. So the one leaves word for
 * the others. Of what is deleted the engine asks nothing in a preview: that it goes, only its own line says.
 */
export class Foreseen {
  private readonly noted = new Map<string, Difference>();

  constructor(
    private readonly tasks: Tasks,
    private readonly foretell: Foretell | undefined,
  ) {}

  note(urn: string, difference: Difference): void {
    // With something unknown the engine asks what else is replaced along: that is no news of this resource.
    const isGuess = difference.replacing.length > 0 && hasUnknown(difference.wanted);
    this.noted.delete(urn);
    if (this.foretell && difference.changes.length > 0 && !isGuess) this.noted.set(urn, difference);
  }

  async say(urn: string): Promise<void> {
    const difference = this.noted.get(urn);
    if (!difference || !this.foretell) return;
    this.noted.delete(urn);
    const { found, wanted, secrets, changes, replacing } = difference;
    const pathsOf = (some: readonly Change[]) => some.map(({ path }) => path);
    const words = this.foretell({
      urn,
      type: typeOf(urn),
      name: nameOf(urn),
      replaced: replacing.length > 0,
      found: legible(found, secrets),
      wanted: legible(wanted, secrets),
      paths: pathsOf(changes),
      replacing: pathsOf(replacing),
    });
    await this.tasks.run("foretell", urn, 0, async (context) => {
      for (const disruption of words.disruptions) context.warn(disruption);
      if (words.changes.length > 0) context.info(words.changes.join("\n"));
    });
  }
}
