import { z } from "zod";
import { secretText, strict } from "../fields/fields";
import { complaint } from "../fields/problems";

/** A shorter token could be guessed. The API server itself accepts any length. */
const SHORTEST_TOKEN = 16;

/** A value in the token file, which is CSV. */
const csvValue = z.string().regex(/^[^\s,"]+$/, {
  error: complaint(
    "is empty, or has a comma, a quote or white space, which the API server's token file does not allow",
    "use letters, digits and punctuation only",
  ),
});

/** The messages do not show the token. */
const token = secretText.superRefine((value, context) => {
  if (!/^[\x21-\x7e]*$/.test(value) || /[,"]/.test(value)) {
    context.addIssue(
      complaint(
        "has a comma, a quote, white space or a character outside ASCII, which a bearer token cannot have",
        "create one with `openssl rand -hex 16`",
      ),
    );
  } else if (value.length < SHORTEST_TOKEN) {
    context.addIssue(
      complaint(`is shorter than ${SHORTEST_TOKEN} characters`, "create one with `openssl rand -hex 16`"),
    );
  }
});

export const staticToken = strict({
  /**
   * The bearer token: at least 16 characters. Set it with `pulumi config set --secret --path
   * 'auth.staticTokens[0].token'`.
   */
  token,
  /** Name of the user. */
  user: csvValue,
  /** Unique id of the user. Pulumi keeps digits as a number, so numbers are accepted, too. */
  uid: z
    .preprocess((value) => (typeof value === "number" ? String(value) : value), csvValue)
    .meta({ alsoAccepts: "number" }),
  /** Groups of the user, for example `system:masters`. */
  groups: z.array(csvValue).default([]),
});

export const admissionPlugin = z.string().regex(/^[A-Z][A-Za-z]+$/, {
  error: complaint("is not the name of an admission plugin", "write it like ServiceAccount"),
});
