import { userCommand } from "../../../common/user-command";
import { table } from "../../terminal/text";
import type { CheckResult } from "./pod-checks";

/** Formats the results of a check for people. */
export function checkText(results: readonly CheckResult[]): string {
  const rows = results.map(({ name, ok, detail }) => [name, ok ? "ok" : "FAILED", detail]);
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  const end =
    failed.length === 0 ? "The cluster works." : `Failed: ${failed.join(", ")}. See \`${userCommand("status")}\`.`;
  return `${[...table([["CHECK", "RESULT", "DETAIL"], ...rows]), "", end].join("\n")}\n`;
}
