import type { Args } from "../kubeadm-args";

/** Flags that the API server refuses together with a flag of `componentArguments`, which has the same purpose. */
const CONFLICTS: readonly [RegExp, string][] = [
  [/^oidc-/, "authentication configuration"],
  [/^anonymous-auth$/, "authentication configuration"],
  [/^authorization-config$/, "flag authorization-mode"],
];

export interface RefusedFlag {
  flag: string;
  reason: string;
}

/** Returns the user's flags that an API server refuses together with issuers of ID tokens in its configuration. */
export function refusedOidcFlags(flags: Args): RefusedFlag[] {
  const reason = "the API server does not accept it together with security.oidc";
  return Object.keys(flags).flatMap((flag) => (flag.startsWith("oidc-") ? [{ flag, reason }] : []));
}

/** Returns the user's flags with which the API server of a cluster that is built by components would not start. */
export function refusedApiServerFlags(flags: Args): RefusedFlag[] {
  return Object.keys(flags).flatMap((flag) =>
    CONFLICTS.filter(([pattern]) => pattern.test(flag)).map(([, ours]) => ({
      flag,
      reason: `the API server does not accept it together with its ${ours}`,
    })),
  );
}
