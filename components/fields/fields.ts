import { isIP } from "node:net";
import { z } from "zod";
import { isIpv4, networkOf, parseCidr } from "../../render/cidr";
import { NOT_IN_A_FLAG } from "../../render/kubelet";
import { complaint } from "./problems";
import { suggestion } from "./suggest";

/** DNS-1123 label and subdomain. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const subdomain = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`);
/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const qualifiedPart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** An object that refuses properties it does not know, and says which was probably meant. */
export function strict<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const known = Object.keys(shape);
  const error = (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => unknownProperty(key, known)).join("\n") : undefined;
  return z.strictObject(shape, { error });
}

/** The same fields, none of them required and none with a default: for a section that is laid over another one. */
export function unrequired(shape: z.ZodRawShape): z.ZodRawShape {
  const bare = (field: z.core.$ZodType) =>
    field instanceof z.ZodDefault || field instanceof z.ZodPrefault ? field.unwrap() : field;
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, z.optional(bare(field))]));
}

export function unknownProperty(key: string, known: readonly string[]): string {
  const meant = suggestion(key, known);
  return complaint(
    "is not a known property",
    meant === undefined ? `use one of ${known.join(", ")}` : `did you mean ${meant}?`,
  );
}

/** An IPv4 range without host bits. */
export const cidr = z.string().superRefine((value, context) => {
  if (parseCidr(value) === undefined) {
    const hint = value.includes(":") ? "IPv6 is not supported yet: give an IPv4 range" : "write it like 10.244.0.0/16";
    context.addIssue(complaint(`${JSON.stringify(value)} is not an IPv4 CIDR`, hint));
  } else if (networkOf(value) !== value) {
    context.addIssue(complaint(`${value} has host bits set`, `write ${networkOf(value)}`));
  }
});

/** 1.36 without quotes is a number in YAML. */
const versionText = z.string({
  error: ({ input }) =>
    typeof input === "number" ? complaint("is a number, not text", "write all three parts, like 1.36.3") : undefined,
});

export const version = versionText.superRefine((value, context) => {
  if (/^\d+\.\d+\.\d+$/.test(value)) return;
  const meant = /^v(\d+\.\d+\.\d+)$/.exec(value)?.[1];
  context.addIssue(
    complaint(`${JSON.stringify(value)} is not a full version`, `write ${meant ?? "major.minor.patch, like 1.36.3"}`),
  );
});

export const nodeName = z.string().regex(subdomain, {
  error: complaint(
    "is not a DNS-1123 name",
    "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit",
  ),
});

/** A pool's name is the beginning of its machines' names, where others have theirs. */
export function poolNameProblem(name: string): string | undefined {
  if (["workers", "worker", "control-plane"].includes(name))
    return complaint(
      "is a name with a meaning of its own",
      "choose another; the pool of plain workers is the section workers",
    );
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return undefined;
  return complaint("is not a pool's name", "use up to 40 lower-case letters, digits and inner dashes");
}

export const dnsDomain = z
  .string()
  .regex(subdomain, { error: complaint("is not a DNS domain", "write it like cluster.local, without a final dot") });

/** Where SSH connects to: an IP address or a DNS name. */
export const host = z.string().refine((value) => isIP(value) !== 0 || subdomain.test(value.toLowerCase()), {
  error: complaint("is neither an address nor a host name", "write it like 10.0.0.9 or node1.example.com"),
});

export const ipv4 = z.string().refine(isIpv4, { error: complaint("is not an IPv4 address", "write it like 10.0.0.9") });

export const port = z.int().min(1).max(65535);

export const seconds = z.int().min(1);

/** `host:port` */
export const endpoint = z
  .string()
  .refine(isEndpoint, { error: complaint("is not host:port", "write it like api.example.com:6443") });

export const source = z.string().refine(isSource, {
  error: complaint("is not a known source", "use auto, official, modules or a mirror's http(s) address"),
});

export const labels = checkedMap((key, value) => keyProblem(key) ?? labelValueProblem(value));
export const annotations = checkedMap((key) => keyProblem(key));

export const taint = strict({
  key: checkedText(keyProblem),
  value: checkedText(labelValueProblem).optional(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

/** Flags by name; numbers and booleans are taken as YAML gives them, since every flag is text in the end. */
export const flags = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .superRefine((given, context) => {
    for (const name of Object.keys(given)) {
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

/** Flags that end in a systemd environment file, where white space separates and quotes are eaten. */
export const kubeletFlags = flags.superRefine((given, context) => {
  for (const [name, value] of Object.entries(given)) {
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
  return z.record(z.string(), z.string()).superRefine((given, context) => {
    for (const [key, value] of Object.entries(given)) {
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
