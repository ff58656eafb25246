/**
 * Whether a version of Kubernetes is a patch release of the same minor version as one of the listed versions.
 * @param version `1.36.4`; anything else is no patch release
 */
export function isPatchOfListed(version: string, listed: readonly string[]): boolean {
  const minor = minorOf(version);
  return minor !== undefined && listed.some((one) => minorOf(one) === minor);
}

/** Returns the user's next action when a version cannot be installed. */
export function chooseVersion(listed: readonly string[]): string {
  return `use one of ${listed.join(", ")}, or another patch release of these minor versions`;
}

function minorOf(version: string): string | undefined {
  return /^(\d+\.\d+)\.\d+$/.exec(version)?.[1];
}
