import { yamlText } from "../json";
import type { StaticToken } from "../rung";
import { API_SERVER_CONFIG } from "./paths";

/** Asked by people's and the kubelet's health checks, which show no certificate. */
const HEALTH_PATHS = ["/livez", "/readyz", "/healthz"];

/**
 * Who is nobody in particular may ask for health, and for nothing else.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-authenticator-configuration
 */
export function authenticationConfiguration(): string {
  return yamlText({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    anonymous: { enabled: true, conditions: HEALTH_PATHS.map((path) => ({ path })) },
  });
}

/** The token file, `token,user,uid,"group1,group2"`; secret. */
export function tokenFile(tokens: readonly StaticToken[]): string {
  return tokens
    .map(({ token, user, uid, groups = [] }) =>
      [token, user, uid, ...(groups.length > 0 ? [`"${groups.join(",")}"`] : [])].join(","),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** By path; all of them are secret where there are tokens. */
export function apiServerFiles(tokens: readonly StaticToken[]): Record<string, string> {
  return {
    [`${API_SERVER_CONFIG}/authentication.yaml`]: authenticationConfiguration(),
    ...(tokens.length > 0 ? { [`${API_SERVER_CONFIG}/tokens.csv`]: tokenFile(tokens) } : {}),
  };
}
