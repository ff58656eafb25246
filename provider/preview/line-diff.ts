const LONGEST_DIFF = 20;
/** Pairs of lines that are compared; beyond, what differs is one block. */
const MOST_PAIRS = 250_000;

type Mark = " " | "-" | "+";
type Marked = readonly [mark: Mark, line: string];

/** The lines that differ, with the number of the first of each block: what is there, and what is wanted. */
export function lineDiff(found: string, wanted: string): string {
  const lines: string[] = [];
  let all = 0;
  let number = 1;
  let last: Mark = " ";
  for (const [mark, line] of compared(found.split("\n"), wanted.split("\n"))) {
    if (mark !== " " && all++ < LONGEST_DIFF) {
      if (last === " ") lines.push(`    line ${number}:`);
      lines.push(`    ${mark} ${line}`);
    }
    if (mark !== "+") number++;
    last = mark;
  }
  return [...lines, ...(all > LONGEST_DIFF ? [`    and ${all - LONGEST_DIFF} lines more`] : [])].join("\n");
}

/** What both begin and end with is left out of the search for the longest common subsequence. */
function compared(is: readonly string[], should: readonly string[]): Marked[] {
  const shorter = Math.min(is.length, should.length);
  let begin = 0;
  while (begin < shorter && is[begin] === should[begin]) begin++;
  let end = 0;
  while (end < shorter - begin && is[is.length - 1 - end] === should[should.length - 1 - end]) end++;
  const same = (lines: readonly string[]) => lines.map((line): Marked => [" ", line]);
  return [
    ...same(is.slice(0, begin)),
    ...middle(is.slice(begin, is.length - end), should.slice(begin, should.length - end)),
    ...same(is.slice(is.length - end)),
  ];
}

function middle(is: readonly string[], should: readonly string[]): Marked[] {
  const gone = (line: string): Marked => ["-", line];
  const come = (line: string): Marked => ["+", line];
  if (is.length * should.length > MOST_PAIRS) return [...is.map(gone), ...should.map(come)];
  const common = commonLengths(is, should);
  const marked: Marked[] = [];
  let [one, other] = [0, 0];
  while (one < is.length || other < should.length) {
    const [left, right] = [is[one], should[other]];
    if (left !== undefined && left === right) {
      marked.push([" ", left]);
      one++;
      other++;
    } else if (
      left !== undefined &&
      (right === undefined || at(common, one + 1, other) >= at(common, one, other + 1))
    ) {
      marked.push(gone(left));
      one++;
    } else {
      marked.push(come(right ?? ""));
      other++;
    }
  }
  return marked;
}

/** The length of the longest common subsequence of what follows, for each pair of places. */
function commonLengths(is: readonly string[], should: readonly string[]): number[][] {
  const lengths: number[][] = [];
  for (let one = is.length - 1; one >= 0; one--) {
    const row: number[] = (lengths[one] = []);
    for (let other = should.length - 1; other >= 0; other--) {
      row[other] =
        is[one] === should[other]
          ? at(lengths, one + 1, other + 1) + 1
          : Math.max(at(lengths, one + 1, other), row[other + 1] ?? 0);
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], one: number, other: number): number {
  return lengths[one]?.[other] ?? 0;
}
