/** The rungs of a cluster that is built one component at a time, from the lowest. Each includes those below it. */
export const RUNGS = ["kubelet", "etcd", "apiserver", "scheduler", "controllers", "proxy", "dns"] as const;

export type Rung = (typeof RUNGS)[number];

/** Returns whether a cluster at `rung` includes another rung. */
export function reaches(rung: Rung, other: Rung): boolean {
  return RUNGS.indexOf(rung) >= RUNGS.indexOf(other);
}

/** How the control plane's components run: as static pods of the kubelet, or as services of systemd. */
export type RunAs = "static-pods" | "systemd";

/**
 * A user whom the API server authenticates by a token of a file.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
 */
export interface StaticToken {
  token: string;
  user: string;
  uid: string;
  groups?: readonly string[] | undefined;
}
