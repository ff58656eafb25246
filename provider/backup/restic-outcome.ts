/** Exit codes of restic. https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
export const ResticCode = { missing: 10, locked: 11, wrongPassword: 12, timeout: 124 } as const;

/** What restic prints when a repository is created that exists. */
export const ALREADY_EXISTS = /already (initialized|exists)/;

/** Returns why restic repeated a request until it was stopped, which its last lines do not say. */
export function reasonOfRetries(stderr: string): string | undefined {
  return [...stderr.matchAll(/returned error, retrying after [^:]*: (.*)/g)].at(-1)?.[1];
}
