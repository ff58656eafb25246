import { optional } from "../common/optional";
import { yamlText } from "./json";

/** An issuer of ID tokens (OpenID Connect) that the API servers accept. */
export interface OidcIssuer {
  /** URL of the issuer, as it is in the tokens. */
  issuer: string;
  /** Client IDs: a token must be for one of them. */
  audiences: readonly string[];
  /** Certificate of the CA that has issued the issuer's certificate, PEM. */
  ca?: string | undefined;
  usernameClaim: string;
  usernamePrefix: string;
  groupsClaim: string;
  groupsPrefix: string;
  /** Claims that a token must have, with their values. */
  requiredClaims: Readonly<Record<string, string>>;
}

/** Which requests without credentials the API server accepts. */
export interface AnonymousRequests {
  enabled: boolean;
  conditions: { path: string }[];
}

/**
 * Renders the authentication configuration of an API server. Client certificates, service accounts and bootstrap tokens
 * work as without it.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
export function authenticationConfiguration(issuers: readonly OidcIssuer[], anonymous?: AnonymousRequests): string {
  return yamlText({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    ...(issuers.length > 0 ? { jwt: issuers.map(authenticator) } : {}),
    ...optional({ anonymous }),
  });
}

function authenticator({ issuer, audiences, ca, requiredClaims, ...mappings }: OidcIssuer): object {
  const rules = Object.entries(requiredClaims).map(([claim, requiredValue]) => ({ claim, requiredValue }));
  return {
    issuer: {
      url: issuer,
      audiences: [...audiences],
      // The API server refuses a policy for one audience as well as several without one.
      ...(audiences.length > 1 ? { audienceMatchPolicy: "MatchAny" } : {}),
      ...optional({ certificateAuthority: ca }),
    },
    ...(rules.length > 0 ? { claimValidationRules: rules } : {}),
    claimMappings: {
      username: { claim: mappings.usernameClaim, prefix: mappings.usernamePrefix },
      groups: { claim: mappings.groupsClaim, prefix: mappings.groupsPrefix },
    },
  };
}
