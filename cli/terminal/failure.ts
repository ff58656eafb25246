import { messageOf } from "../../common/errors";
import { labelOf } from "./text";

/** Pulumi marks colours as `<{%fg 1%}>`. */
export function plainText(text: string): string {
  return text.replaceAll(/<\{%.*?%\}>/g, "").trim();
}

/** Words that say nothing beside the real cause: Pulumi adds them above and below it. */
const NOISE = [
  /^update failed$/,
  /^preview failed$/,
  /^destroy failed$/,
  /^resource .* errors? occurred/,
  /^\d+ errors? occurred:?$/,
];
/** What the SDK says, with its own stack, of a resource whose error has been told. */
const REPETITION = /Error: (error serializing property ".+": )?resource .+ \[.+\] failed to register$/m;
/** `update of urn:... failed: `, `kubewright:index:X resource 'y': property ...: ` and the like say again which resource it is. */
const PREFIXES = [
  /^error: /,
  /^(creating|updating|deleting|reading|refreshing|diffing) urn:\S+: /,
  /^sdk-v2.*?: /,
  /^rpc error: code = \w+ desc = /,
];

/** One error as the person sees it, or nothing when it only repeats that there was one. */
export function failureOf(urn: string | undefined, text: string): string | undefined {
  if (REPETITION.test(text)) return undefined;
  const lines = text.split("\n").map((line) => line.replace(/^\s*\* /, "").trimEnd());
  const telling = lines
    .map(withoutPrefixes)
    .filter((line) => line.trim() !== "" && !NOISE.some((noise) => noise.test(line.trim())));
  if (telling.length === 0) return undefined;
  const said = telling.join("\n  ");
  return urn && !urn.includes("pulumi:pulumi:Stack") ? `${labelOf(urn)}: ${said}` : said;
}

function withoutPrefixes(line: string): string {
  const found = PREFIXES.find((prefix) => prefix.test(line));
  return found ? withoutPrefixes(line.replace(found, "")) : line;
}

/** What a Pulumi command said on its way out, without the Automation API's stack trace and the command's whole output. */
export function commandFailure(error: unknown): string {
  const lines = plainText(messageOf(error)).split("\n");
  const errors = lines.map((line) => line.replace(/^\s*(stderr: )?/, "")).filter((line) => line.startsWith("error:"));
  if (errors.length === 0) return messageOf(error);
  return [...new Set(errors.map(withoutPrefixes))].join("\n");
}
