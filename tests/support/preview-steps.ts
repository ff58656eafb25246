/** Returns the names of the resources that a `pulumi preview --json` changes, sorted. */
export function changedResources(preview: string): string[] {
  const { steps } = JSON.parse(preview.slice(preview.indexOf("{"))) as { steps: { op: string; urn: string }[] };
  return steps
    .filter(({ op }) => op !== "same" && op !== "refresh")
    .map(({ urn }) => urn.split("::").at(-1) ?? "")
    .sort();
}
