import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseJson } from "../../common/json";
import { stackFolder } from "./paths";
import { timelineSchema, type RunTimeline } from "./run-timeline";

export const lastRunFile = (stack: string) => join(stackFolder(stack), "last-run.json");

/** Keeps the timeline of a run for `report` and `support`. Replaces that of the run before. */
export function writeLastRun(stack: string, timeline: RunTimeline): void {
  const file = lastRunFile(stack);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(timeline, undefined, 1)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Returns the last run that changed something; undefined where there was none on this computer. */
export function readLastRun(stack: string): RunTimeline | undefined {
  const file = lastRunFile(stack);
  return existsSync(file) ? timelineSchema.safeParse(parseJson(readFileSync(file, "utf8"))).data : undefined;
}
