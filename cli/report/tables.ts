import { byNumber, CLUSTER } from "../../provider/preview/step";
import type { CertificateStatus } from "../nodes/certificate-status";
import type { NodeStatus } from "../nodes/cluster-status";
import type { Drift } from "../preview/drift";
import { shortLabel } from "../terminal/text";
import { formatDuration } from "./format";
import { element, type Markup } from "./markup";
import type { CriticalStep } from "./report-data";

/** Heading of a column; numbers are aligned to the right. */
type Column = string | { number: string };
type Row = readonly string[];

/** The engine itself takes some milliseconds between two steps. */
const LEAST_WAIT_MS = 50;

/** Returns a table with a caption that screen readers announce. */
export function dataTable(caption: string, columns: readonly Column[], rows: readonly Row[]): Markup {
  const className = (index: number) => (typeof columns[index] === "object" ? "number" : undefined);
  const heads = columns.map((column, index) =>
    element("th", { scope: "col", class: className(index) }, typeof column === "string" ? column : column.number),
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      row.map((text, index) =>
        index === 0 ? element("th", { scope: "row" }, text) : element("td", { class: className(index) }, text),
      ),
    ),
  );
  const table = element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, heads)),
    element("tbody", {}, body),
  );
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
}

export function criticalRows(path: readonly CriticalStep[]): Row[] {
  return path.map(({ label, machine, start, end, wait }) => [
    shortLabel(label, machine),
    machine === CLUSTER ? "" : machine,
    formatDuration(start),
    wait < LEAST_WAIT_MS ? "" : formatDuration(wait),
    formatDuration(end - start),
  ]);
}

export function nodeRows(nodes: readonly NodeStatus[]): Row[] {
  return [...nodes]
    .sort((one, other) => one.pool.localeCompare(other.pool) || byNumber(one.name, other.name))
    .map(({ name, pool, version, runtime, ready, cordoned, conditions, pods, capacity }) => [
      name,
      pool,
      version,
      runtime,
      [ready ? "Ready" : "NotReady", ...(cordoned ? ["cordoned"] : []), ...(ready ? conditions : [])].join(", "),
      `${pods} of ${capacity}`,
    ]);
}

/** The one that expires first on top. */
export function certificateRows(certificates: readonly CertificateStatus[]): Row[] {
  return [...certificates]
    .sort((one, other) => one.daysLeft - other.daysLeft || byNumber(one.node, other.node))
    .map(({ name, node, kind, end, daysLeft }) => [
      name,
      node,
      kind === "authority" ? "CA" : kind,
      end.toISOString().slice(0, 10),
      String(daysLeft),
    ]);
}

export function driftRows(drift: readonly Drift[]): Row[] {
  return drift.map(({ machine, resource, differences }) => [machine, resource, differences.join("; ")]);
}
