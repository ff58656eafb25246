import { z } from "zod";
import { strict } from "../fields/fields";
import { complaint } from "../fields/problems";

const OWN = "system:";
/**
 * Without a prefix, or with `system:` or its beginning, an issuer could name a user or a group of Kubernetes itself:
 * `system:masters`.
 */
const prefix = z
  .string()
  .refine(
    (text) => /^\S+$/.test(text) && !OWN.startsWith(text) && !text.startsWith(OWN),
    complaint("is no prefix that keeps users apart", "write one such as oidc:"),
  );
const claim = z.string().min(1);

/** An issuer of ID tokens (OpenID Connect). */
export const oidcIssuer = strict({
  /** URL of the issuer, exactly as in its tokens (`iss`). The API servers must reach it. */
  issuer: z
    .string()
    .regex(/^https:\/\/[^\s?#]+$/, complaint("is no URL of an issuer", "write one such as https://login.example.com")),
  /** Client IDs (`aud`): a token must be for one of them. */
  audiences: z.array(z.string().min(1)).min(1),
  /**
   * Certificate of the CA that has issued the issuer's certificate, PEM.
   * @default the authorities in the image of the API server
   */
  ca: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/, complaint("is no certificate in PEM", "write the text of the file"))
    .optional(),
  /** Claim with the name of the user. */
  usernameClaim: claim.default("sub"),
  /** Prefix of the name of the user in Kubernetes. */
  usernamePrefix: prefix.default("oidc:"),
  /** Claim with the groups of the user. */
  groupsClaim: claim.default("groups"),
  /** Prefix of the groups in Kubernetes. */
  groupsPrefix: prefix.default("oidc:"),
  /** Claims that a token must have, with their values. */
  requiredClaims: z.record(z.string().min(1), z.string()).default({}),
});

/** Issuers of ID tokens. The API server refuses two of the same URL. */
export const oidcIssuers = z
  .array(oidcIssuer)
  .refine(
    (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    complaint("has an issuer twice", "name both audiences in one entry"),
  )
  .default([]);
