import CliTable from "cli-table3";

export { pluralize } from "../../common/pluralize";

/** Returns the type and name of a resource: `Unit worker-1-kubelet`. */
export function labelOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  const type = types.split("$").pop()?.split(":").pop() ?? "";
  return type === "Stack" ? name.join("::") : `${type} ${name.join("::")}`;
}

/** Removes the machine from the name of its resource: `Unit kubelet` for `Unit worker-1-kubelet` on worker-1. */
export function shortLabel(label: string, machine: string): string {
  const [kind = "", name = ""] = label.split(" ");
  if (name === machine) return kind;
  return name.startsWith(`${machine}-`) ? withoutRepetition(kind, name.slice(machine.length + 1)) : label;
}

/** `Join` for `Join join` */
function withoutRepetition(kind: string, name: string): string {
  return kind.toLowerCase() === name.replaceAll("-", "") ? kind : `${kind} ${name}`;
}

/** Formats the time since `since` (epoch milliseconds): `12.3 s`. */
export function seconds(since: number): string {
  return formatSeconds(Date.now() - since);
}

/** Formats milliseconds: `12.3 s`. */
export function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

const GAP = "   ";
const BORDERS = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"];
const LINES = ["left", "left-mid", "mid", "mid-mid", "right", "right-mid"];
const NO_BORDERS = { ...Object.fromEntries([...BORDERS, ...LINES].map((name) => [name, ""])), middle: GAP };

/** Lays out rows of cells in aligned columns without borders, one line for each row. */
export function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const layout = new CliTable({
    chars: NO_BORDERS,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  layout.push(...rows.map((row) => [...row]));
  return layout
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
