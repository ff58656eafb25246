import { diffArrays } from "diff";

/** Changed lines shown before the rest is only counted. */
const MAX_LINES = 20;
/** Edits after which the search for a minimal diff ends: its cost grows with their square. */
const MAX_EDITS = 1_000;

interface Block {
  /** Number of the first line, in the text as it is now. */
  line: number;
  changes: string[];
}

/**
 * Returns the changed lines of a text, each block headed by its line number: `-` is the current line, `+` the desired
 * one.
 */
export function lineDiff(current: string, desired: string): string {
  const blocks = changedBlocks(current.split("\n"), desired.split("\n"));
  const total = blocks.reduce((sum, { changes }) => sum + changes.length, 0);
  let left = MAX_LINES;
  const shown = blocks.flatMap(({ line, changes }) => {
    const lines = changes.slice(0, left);
    left -= lines.length;
    return lines.length === 0 ? [] : [`    line ${line}:`, ...lines.map((change) => `    ${change}`)];
  });
  return [...shown, ...(total > MAX_LINES ? [`    and ${total - MAX_LINES} more lines`] : [])].join("\n");
}

function changedBlocks(current: string[], desired: string[]): Block[] {
  const blocks: Block[] = [];
  let line = 1;
  let isNew = true;
  for (const { value, added, removed } of partsOf(current, desired)) {
    if (added || removed) {
      if (isNew) blocks.push({ line, changes: [] });
      blocks.at(-1)?.changes.push(...value.map((text) => `${added ? "+" : "-"} ${text}`));
    }
    isNew = !added && !removed;
    if (!added) line += value.length;
  }
  return blocks;
}

/** Texts that differ in more than {@link MAX_EDITS} lines are shown as one block. */
function partsOf(current: string[], desired: string[]): { value: string[]; added: boolean; removed: boolean }[] {
  return (
    diffArrays(current, desired, { maxEditLength: MAX_EDITS }) ?? [
      { value: current, added: false, removed: true },
      { value: desired, added: true, removed: false },
    ]
  );
}
