/** The rungs of a cluster that is built one component at a time, from the lowest; each has what those below it have. */
export const RUNGS = ["kubelet", "etcd", "apiserver", "scheduler", "controllers", "proxy", "dns"] as const;

export type Rung = (typeof RUNGS)[number];

/** Whether a cluster that stands on `rung` has what comes with `step`. */
export function reaches(rung: Rung, step: Rung): boolean {
  return RUNGS.indexOf(rung) >= RUNGS.indexOf(step);
}

/** How the control plane's components run: by the kubelet from manifests, or by systemd from binaries. */
export type RunAs = "static-pods" | "systemd";

/** A user that the API server knows by a token of a file. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file */
export interface StaticToken {
  token: string;
  user: string;
  uid: string;
  groups?: readonly string[] | undefined;
}
