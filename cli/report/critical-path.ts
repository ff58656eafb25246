import type { RunSpan } from "../engine/run-timeline";
import type { CriticalStep } from "./report-data";

/** URNs that each resource depends on. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * Returns the chain of steps that decided how long the run took: from the step that ended last back to the beginning,
 * always along the dependency that ended last.
 */
export function criticalPath(spans: readonly RunSpan[], dependencies: Dependencies): CriticalStep[] {
  const path: RunSpan[] = [];
  for (let span = lastOf(spans); span; span = lastOf(predecessors(span, spans, dependencies))) path.unshift(span);
  return path.map(({ label, machine, start, end }, index) => {
    const wait = Math.max(0, start - (path[index - 1]?.end ?? 0));
    return { label, machine, start, end, wait };
  });
}

/** Milliseconds by which a step may begin before the event about the end of its dependency arrives. */
const TOLERANCE_MS = 50;

function predecessors(span: RunSpan, spans: readonly RunSpan[], dependencies: Dependencies): RunSpan[] {
  const before = spans.filter((one) => one !== span && one.start < span.start && one.end <= span.start + TOLERANCE_MS);
  // The state no longer has what was deleted. A deletion waits for the deletions before it.
  if (span.op === "delete") return before.filter(({ op }) => op === "delete");
  const urns = neededUrns(span.urn, new Set(spans.map(({ urn }) => urn)), dependencies);
  return before.filter(({ urn }) => urns.has(urn) || urn === span.urn);
}

/** Resources of the run that a resource waits for. Resources between them that the run did not change are skipped. */
function neededUrns(urn: string, changed: ReadonlySet<string>, dependencies: Dependencies): Set<string> {
  const needed = new Set<string>();
  const visited = new Set<string>();
  const open = [...(dependencies.get(urn) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (visited.has(next)) continue;
    visited.add(next);
    if (changed.has(next)) needed.add(next);
    else open.push(...(dependencies.get(next) ?? []));
  }
  return needed;
}

function lastOf(spans: readonly RunSpan[]): RunSpan | undefined {
  return spans.reduce<RunSpan | undefined>((last, span) => (last && last.end >= span.end ? last : span), undefined);
}
