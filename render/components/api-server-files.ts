import { authenticationConfiguration, type OidcIssuer } from "../oidc";
import type { StaticToken } from "../rung";
import { API_SERVER_CONFIG } from "../component-paths";

/** Paths that health checks request without a certificate. */
const HEALTH_PATHS = ["/livez", "/readyz", "/healthz"];

/** Renders the token file, with lines `token,user,uid,"group1,group2"`. Secret. */
export function tokenFile(tokens: readonly StaticToken[]): string {
  return tokens
    .map(({ token, user, uid, groups = [] }) => {
      const fields = [token, user, uid];
      if (groups.length > 0) fields.push(`"${groups.join(",")}"`);
      return `${fields.join(",")}\n`;
    })
    .join("");
}

/**
 * Returns the API server's files by path. Secret if there are tokens. Anonymous requests are allowed for health checks
 * only.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-authenticator-configuration
 */
export function apiServerFiles(
  tokens: readonly StaticToken[],
  issuers: readonly OidcIssuer[] = [],
): Record<string, string> {
  const anonymous = { enabled: true, conditions: HEALTH_PATHS.map((path) => ({ path })) };
  const files = { [`${API_SERVER_CONFIG}/authentication.yaml`]: authenticationConfiguration(issuers, anonymous) };
  return tokens.length > 0 ? { ...files, [`${API_SERVER_CONFIG}/tokens.csv`]: tokenFile(tokens) } : files;
}
