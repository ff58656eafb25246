import { isIP } from "node:net";
import { z } from "zod";
import { isIpv4, networkOf, parseCidr } from "../../render/cidr";
import { NOT_IN_A_FLAG } from "../../render/kubelet";
import { complaint } from "./problems";
import { closestName } from "./closest-name";

/** DNS-1123 labels and subdomains. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const subdomain = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`);
/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const qualifiedPart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * Makes an object schema that refuses unknown properties, with a suggestion of the property that was probably meant.
 */
export function strict<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const names = Object.keys(shape);
  const error = (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => unknownProperty(key, names)).join("\n") : undefined;
  return z.strictObject(shape, { error });
}

/**
 * Makes all fields optional, and moves their defaults to their metadata: for a section that is merged with another
 * one.
 */
export function optionalFields<Shape extends z.ZodRawShape>(
  shape: Shape,
): { [Name in keyof Shape]: z.ZodOptional<Shape[Name]> } {
  const makeOptional = (field: z.core.$ZodType) =>
    field instanceof z.ZodDefault || field instanceof z.ZodPrefault
      ? z.optional(field.unwrap()).meta({ default: field.def.defaultValue })
      : z.optional(field);
  const fields = Object.entries(shape).map(([name, field]) => [name, makeOptional(field)]);
  return Object.fromEntries(fields) as { [Name in keyof Shape]: z.ZodOptional<Shape[Name]> };
}

export function unknownProperty(key: string, names: readonly string[]): string {
  const similar = closestName(key, names);
  return complaint(
    "is not a known property",
    similar === undefined ? `use one of ${names.join(", ")}` : `did you mean ${similar}?`,
  );
}

/** An IPv4 range in CIDR notation, without host bits. */
export const cidr = z
  .string()
  .superRefine((value, context) => {
    if (parseCidr(value) === undefined) {
      const hint = value.includes(":")
        ? "IPv6 is not supported yet: give an IPv4 range"
        : "write it like 10.244.0.0/16";
      context.addIssue(complaint(`${JSON.stringify(value)} is not an IPv4 CIDR`, hint));
    } else if (networkOf(value) !== value) {
      context.addIssue(complaint(`${value} has host bits set`, `write ${networkOf(value)}`));
    }
  })
  .meta({ format: "IPv4 CIDR" });

/** In YAML, 1.36 without quotes is a number. */
const versionText = z.string({
  error: ({ input }) =>
    typeof input === "number"
      ? complaint("must be a string, not a number", "write all three parts, like 1.36.3")
      : undefined,
});

export const version = versionText.superRefine((value, context) => {
  if (/^\d+\.\d+\.\d+$/.test(value)) return;
  const withoutPrefix = /^v(\d+\.\d+\.\d+)$/.exec(value)?.[1];
  context.addIssue(
    complaint(
      `${JSON.stringify(value)} is not a full version`,
      `write ${withoutPrefix ?? "major.minor.patch, like 1.36.3"}`,
    ),
  );
});

export const nodeName = z.string().regex(subdomain, {
  error: complaint(
    "is not a DNS-1123 name",
    "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit",
  ),
});

/** The names of a pool's machines begin with the pool's name, so it must be neither reserved nor too long. */
export function poolNameProblem(name: string): string | undefined {
  if (["workers", "worker", "control-plane"].includes(name))
    return complaint("is a reserved name", "choose another; the default pool is the section workers");
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return undefined;
  return complaint("is not a valid name of a pool", "use up to 40 lower-case letters, digits and inner dashes");
}

export const dnsDomain = z
  .string()
  .regex(subdomain, { error: complaint("is not a DNS domain", "write it like cluster.local, without a final dot") });

/** An IP address or a DNS name. */
export const host = z.string().refine((value) => isIP(value) !== 0 || subdomain.test(value.toLowerCase()), {
  error: complaint("is neither an address nor a host name", "write it like 10.0.0.9 or node1.example.com"),
});

export const ipv4 = z
  .string()
  .refine(isIpv4, { error: complaint("is not an IPv4 address", "write it like 10.0.0.9") })
  .meta({ format: "IPv4 address" });

/** A text that Pulumi's state keeps as a secret. */
export const secretText = z.string().min(1).meta({ secret: true });

/** Public host key of an SSH server in OpenSSH's format. */
export const publicHostKey = z.string().regex(/^(ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+/, {
  error: complaint("is not a public key", "write it as in known_hosts, like ssh-ed25519 AAAA..."),
});

export const port = z.int().min(1).max(65535);

export const seconds = z.int().min(1);

/** An endpoint, or a virtual address. */
export const endpointOrAddress = z
  .string()
  .refine((value) => isEndpoint(value) || isIP(value) !== 0, {
    error: complaint("is neither host:port nor an IP address", "write it like api.example.com:6443"),
  })
  .meta({ format: "host:port" });

export const source = z.string().refine(isSource, {
  error: complaint("is not a known source", "use auto, official, modules or a mirror's http(s) address"),
});

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
export const labels = checkedMap((key, value) => keyProblem(key) ?? labelValueProblem(value));
export const annotations = checkedMap((key) => keyProblem(key));

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export const taint = strict({
  /** Key of the taint. */
  key: checkedText(keyProblem),
  /** Value of the taint. */
  value: checkedText(labelValueProblem).optional(),
  /** What happens to pods that do not tolerate the taint. */
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

/** Command-line flags by name. Numbers and booleans are accepted, because YAML reads unquoted values as such. */
export const flags = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .superRefine((value, context) => {
    for (const name of Object.keys(value)) {
      if (/^[a-z0-9][a-z0-9.-]*$/.test(name)) continue;
      context.addIssue({
        code: "custom",
        path: [name],
        message: complaint(
          "is not the name of a flag",
          `write it without dashes in front, like ${name.replace(/^-+/, "") || "v"}`,
        ),
      });
    }
  });

/** Flags of the kubelet. They are written to a systemd environment file, in which values cannot be quoted. */
export const kubeletFlags = flags.superRefine((values, context) => {
  for (const [name, value] of Object.entries(values)) {
    if (!NOT_IN_A_FLAG.test(value)) continue;
    context.addIssue({
      code: "custom",
      path: [name],
      message: complaint(
        "has white space, control characters, quotes, $ or a backslash",
        "use the kubelet's configuration for it, under kubelet",
      ),
    });
  }
});

function checkedText(problemWith: (text: string) => string | undefined): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    const message = problemWith(text);
    if (message !== undefined) context.addIssue(message);
  });
}

function checkedMap(
  problemWith: (key: string, value: string) => string | undefined,
): z.ZodType<Record<string, string>> {
  return z.record(z.string(), z.string()).superRefine((map, context) => {
    for (const [key, value] of Object.entries(map)) {
      const message = problemWith(key, value);
      if (message !== undefined) context.addIssue({ code: "custom", path: [key], message });
    }
  });
}

function keyProblem(key: string): string | undefined {
  const [name = "", prefix, ...rest] = key.split("/").reverse();
  if (qualifiedPart.test(name) && (prefix === undefined || subdomain.test(prefix)) && rest.length === 0)
    return undefined;
  return complaint(
    `${JSON.stringify(key)} is not a valid key`,
    "write it like name or example.com/name, each at most 63 letters, digits, '-', '_' and '.'",
  );
}

function labelValueProblem(value: string): string | undefined {
  if (value === "" || qualifiedPart.test(value)) return undefined;
  return complaint(
    `${JSON.stringify(value)} is not a valid value`,
    "use at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
  );
}

function isEndpoint(value: string): boolean {
  const [, name = "", number = ""] = /^([^:/]+):(\d{1,5})$/.exec(value) ?? [];
  return host.safeParse(name).success && port.safeParse(Number(number)).success;
}

function isSource(value: string): boolean {
  return ["auto", "official", "modules"].includes(value) || (/^https?:\/\//.test(value) && URL.canParse(value));
}
