import type { z } from "zod";

/** A problem of the configuration. */
export interface Problem {
  /** Path of the property: `network.podCidr`, `machines.ssh.hosts[1].name`. Empty for the whole configuration. */
  path: string;
  reason: string;
  /** What the user does next, as an imperative. */
  action: string;
}

/** All problems of the configuration. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    super(`${count} in the configuration:\n${problems.map((problem) => `  ${renderProblem(problem)}`).join("\n")}`);
    this.name = "ConfigError";
  }
}

export function renderProblem({ path, reason, action }: Problem): string {
  return `${path === "" ? "configuration" : path}: ${reason}; ${action}`;
}

/** Joins reason and action to one message for zod; `problemsOf` separates them again. */
export function complaint(reason: string, action: string): string {
  return `${reason}\t${action}`;
}

/** Converts zod's issues. An issue about several unknown properties becomes one problem for each of them. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const messages = issue.message.split("\n");
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
    return keys.map((key, index) =>
      problem(key === undefined ? issue.path : [...issue.path, key], messages[index] ?? ""),
    );
  });
}

/** The path in the syntax of `pulumi config set --path`: a key with dots is put in brackets. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const name = String(part);
      if (/^[A-Za-z0-9_-]+$/.test(name)) return index === 0 ? name : `.${name}`;
      return `["${name}"]`;
    })
    .join("");
}

/** Message for issues that the field itself has no message for. */
export function genericMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return complaint("is missing", `set it to ${article(issue.expected)}`);
      return complaint(`must be ${article(issue.expected)}, not ${article(typeName(issue.input))}`, "correct it");
    case "invalid_value":
      return complaint(`cannot be ${JSON.stringify(issue.input)}`, `use one of ${issue.values.map(String).join(", ")}`);
    case "too_small":
      return complaint(`is below ${issue.minimum}`, `use ${issue.minimum} or more`);
    case "too_big":
      return complaint(`is above ${issue.maximum}`, `use ${issue.maximum} or less`);
    default:
      return undefined;
  }
}

function problem(path: readonly PropertyKey[], message: string): Problem {
  const [reason = "", action = "correct it"] = message.split("\t");
  return { path: pathText(path), reason, action };
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

const typeNames: Record<string, string> = {
  int: "a whole number",
  array: "a list",
  record: "an object",
  object: "an object",
  null: "null",
};

function article(type: string): string {
  return typeNames[type] ?? `a ${type}`;
}
