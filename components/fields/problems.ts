import type { z } from "zod";

/** One thing that is wrong in the configuration. */
export interface Problem {
  /** `network.podCidr`, `machines.ssh.hosts[1].name`; empty for the configuration as a whole. */
  path: string;
  reason: string;
  /** What the person does next. */
  action: string;
}

/** Everything that is wrong in the configuration, at once. */
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

/** Reason and action as one message for zod, taken apart again by `problemsOf`. */
export function complaint(reason: string, action: string): string {
  return `${reason}\t${action}`;
}

/** zod's issues as ours. An issue about several unknown properties becomes one problem for each. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const messages = issue.message.split("\n");
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
    return keys.map((key, index) =>
      problem(key === undefined ? issue.path : [...issue.path, key], messages[index] ?? ""),
    );
  });
}

/** Path as a person writes it. A key with dots is bracketed, so that the path stays one that `pulumi config set --path` takes. */
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

/** For everything that a field has no words of its own for. */
export function genericMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return complaint("is missing", `give ${article(issue.expected)}`);
      return complaint(`is ${article(typeName(issue.input))}`, `give ${article(issue.expected)}`);
    case "invalid_value":
      return complaint(`is ${JSON.stringify(issue.input)}`, `use one of ${issue.values.map(String).join(", ")}`);
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

const typeWords: Record<string, string> = {
  int: "a whole number",
  array: "a list",
  record: "an object",
  object: "an object",
  null: "null",
};

function article(type: string): string {
  return typeWords[type] ?? `a ${type}`;
}
