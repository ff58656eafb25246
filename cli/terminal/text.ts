/** `KubeadmInit control-plane` */
export function labelOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  const type = types.split("$").pop()?.split(":").pop() ?? "";
  return type === "Stack" ? name.join("::") : `${type} ${name.join("::")}`;
}

/** How long ago: `12.3 s` */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** Rows of cells as lines, in columns. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}
