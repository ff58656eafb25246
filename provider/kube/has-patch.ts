/**
 * Returns whether an object already has what a strategic merge patch sets. Elements of lists are compared with all
 * elements, because some lists merge by a key, and others are replaced.
 */
export function hasPatch(live: unknown, patch: unknown): boolean {
  if (Array.isArray(patch)) return hasElements(Array.isArray(live) ? live : [], patch);
  if (!isRecord(patch)) return patch === live;
  return isRecord(live) && Object.entries(patch).every(([name, value]) => hasPatch(live[name], value));
}

/** An element `$patch: replace` says that the list has no other elements. */
function hasElements(live: readonly unknown[], patch: readonly unknown[]): boolean {
  const elements = patch.filter((element) => !(isRecord(element) && "$patch" in element));
  const isReplaced = elements.length < patch.length;
  if (isReplaced && live.length !== elements.length) return false;
  return elements.every((element) => live.some((one) => hasPatch(one, element)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
