import { z } from "zod";

/** A host name that is a DNS label, and so may be a node's name. */
export const hostnameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and inner dashes, at most 63");
