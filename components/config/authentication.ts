import { z } from "zod";
import { strict } from "../fields/fields";
import { complaint } from "../fields/problems";

/** With fewer characters a token can be guessed; the API server itself would take any. */
const SHORTEST_TOKEN = 16;

/** A word of the token file, which is CSV. */
const word = z.string().regex(/^[^\s,"]+$/, {
  error: complaint(
    "is empty, or has a comma, a quote or white space, which the API server's token file cannot hold",
    "use letters, digits and punctuation only",
  ),
});

/** Messages never show the token. */
const token = z.string().superRefine((value, context) => {
  if (!/^[\x21-\x7e]*$/.test(value) || /[,"]/.test(value)) {
    context.addIssue(
      complaint(
        "has a comma, a quote, white space or a letter beyond ASCII, which a bearer token cannot have",
        "make one with `openssl rand -hex 16`",
      ),
    );
  } else if (value.length < SHORTEST_TOKEN) {
    context.addIssue(complaint(`is shorter than ${SHORTEST_TOKEN} characters`, "make one with `openssl rand -hex 16`"));
  }
});

export const staticToken = strict({
  /** Keep it secret: `pulumi config set --secret --path 'auth.staticTokens[0].token' ...`. */
  token,
  user: word,
  /** A number is as good: that is how Pulumi keeps one. */
  uid: z.preprocess((given) => (typeof given === "number" ? String(given) : given), word),
  groups: z.array(word).default([]),
});

export const admissionPlugin = z.string().regex(/^[A-Z][A-Za-z]+$/, {
  error: complaint("is not the name of an admission plugin", "write it like ServiceAccount"),
});
