import { messageOf } from "../../common/errors";
import { labelOf, pluralize } from "./text";

/** Removes Pulumi's color marks, such as `<{%fg 1%}>`. */
export function plainText(text: string): string {
  return text.replaceAll(/<\{%.*?%\}>/g, "").trim();
}

/** Lines that Pulumi prints above and below the cause of an error. */
const NOISE = [
  /^update failed$/,
  /^preview failed$/,
  /^destroy failed$/,
  /^resource .* errors? occurred/,
  /^\d+ errors? occurred:?$/,
];
/** The SDK's error, with its own stack trace, about a resource whose error has already been reported. */
const REPETITION = /Error: (error serializing property ".+": )?resource .+ \[.+\] failed to register$/m;
/** Prefixes that name the resource again, such as `updating urn:...: `. */
const PREFIXES = [
  /^error: /,
  /^(creating|updating|deleting|reading|refreshing|diffing) urn:\S+: /,
  /^sdk-v2.*?: /,
  /^rpc error: code = \w+ desc = /,
];

/**
 * Returns the cause in an error message of the engine, after the resource's name; undefined where it repeats an earlier
 * error.
 */
export function failureOf(urn: string | undefined, text: string): string | undefined {
  if (REPETITION.test(text)) return undefined;
  const lines = text
    .split("\n")
    .map((line) => withoutPrefixes(line.replace(/^\s*\* /, "").trimEnd()))
    .filter((line) => line.trim() !== "" && !NOISE.some((noise) => noise.test(line.trim())));
  if (lines.length === 0) return undefined;
  const cause = lines.join("\n  ");
  return urn && !urn.includes("pulumi:pulumi:Stack") ? `${labelOf(urn)}: ${cause}` : cause;
}

function withoutPrefixes(line: string): string {
  const prefix = PREFIXES.find((one) => one.test(line));
  return prefix ? withoutPrefixes(line.replace(prefix, "")) : line;
}

/** A failure that names its resource, as `failureOf` returns it. */
const OF_RESOURCE = /^[A-Z]\w* \S+: /;

/**
 * Merges the failures of resources that have the same cause, such as a machine that does not respond. The first
 * failure stays, with the number of the other resources.
 */
export function mergeFailures(failures: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const failure of failures) {
    const cause = failure.replace(OF_RESOURCE, "resource: ");
    groups.set(cause, [...(groups.get(cause) ?? []), failure]);
  }
  return [...groups.values()].map(([first = "", ...others]) =>
    others.length === 0
      ? first
      : `${first}\n  ${pluralize(others.length, "other resource")} failed with the same error`,
  );
}

const LOCKED = /the stack is currently locked by \d+ lock/;
const LOCK_HOLDER = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** Whether a Pulumi command failed because another run holds the stack's lock. */
export function isLockFailure(error: unknown): boolean {
  return LOCKED.test(messageOf(error));
}

/** The holder of the stack's lock, and what to do. Pulumi names the holder below its error. */
function lockFailure(error: unknown): string {
  const holders = [...messageOf(error).matchAll(LOCK_HOLDER)].map(
    ([, user, host, pid, since]) => `${user} has been working on it since ${since} (process ${pid} on ${host})`,
  );
  const cause = ["the stack is locked", ...holders].join("\n  ");
  return `${cause}\n  wait for that run to finish, or if it no longer exists run \`pulumi cancel\``;
}

/** Returns the errors in the message of a failed Pulumi command, without its stack trace and its other output. */
export function commandFailure(error: unknown): string {
  if (isLockFailure(error)) return lockFailure(error);
  const lines = plainText(messageOf(error)).split("\n");
  const errors = lines.map((line) => line.replace(/^\s*(stderr: )?/, "")).filter((line) => line.startsWith("error:"));
  if (errors.length === 0) return messageOf(error);
  return [...new Set(errors.map(withoutPrefixes))].join("\n");
}
