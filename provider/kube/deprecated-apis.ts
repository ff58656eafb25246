import semver from "semver";

/** A deprecated API that a client has requested since the API server started. */
export interface DeprecatedApi {
  /** `endpoints.v1` */
  resource: string;
  /** Minor version that no longer has it: `1.38`. Absent: no release has been named. */
  removedIn?: string;
  /** Clients that use it, as far as they are known. */
  users?: string[];
}

const METRIC = /^apiserver_requested_deprecated_apis\{([^}]*)\} 1$/gm;

/** Finds the deprecated APIs in use in an API server's metrics. */
export function parseDeprecatedApis(metrics: string): DeprecatedApi[] {
  const found = [...metrics.matchAll(METRIC)].map(([, labels = ""]) => {
    const { group, version, resource, removed_release: removedIn } = labelsOf(labels);
    const name = [resource, version, group].filter(Boolean).join(".");
    return { resource: name, ...(removedIn ? { removedIn } : {}) };
  });
  return [...new Map(found.map((api) => [api.resource, api])).values()];
}

/** Whether a version no longer has the API. */
export function isRemovedIn({ removedIn }: DeprecatedApi, version: string): boolean {
  const release = removedIn === undefined ? null : semver.coerce(removedIn);
  return release !== null && semver.gte(version, release);
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]));
}
