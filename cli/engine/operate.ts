import type { EngineEvent, OutputMap, Stack, UpOptions } from "@pulumi/pulumi/automation";
import { isLockFailure } from "../terminal/engine-errors";
import { printReport } from "../terminal/output-mode";
import { UpdateView } from "../terminal/update-view";
import { configuredMachines } from "./configured-machines";
import { forgetCommands } from "./forget-commands";
import { writeLastRun } from "./last-run";
import { showMachines } from "./live-view";
import { writeMissingKeys } from "./missing-keys";
import { clearPendingOperations } from "./pending-operations";
import { releaseStaleLocks } from "./pulumi-locks";
import { explainQuorumLoss } from "./quorum-loss";
import { withRebuilt } from "./rebuilt-machines";
import { failureReport, interruptionReport } from "./run-report";
import { RunRecord } from "./run-record";
import { TimelineRecorder, type RunTimeline } from "./run-timeline";
import { abandonedMachines, recordRecoverySettings } from "./recovery-settings";
import { CommandEnded, INTERRUPTED, type Session } from "./session";
import { undoneInstances } from "./state";
import { assertNotHeld } from "./stack-lock";
import { StallDetector } from "./stall-detector";
import { isRunUnfinished, withUnfinishedMark } from "./unfinished-run";
import { PROJECT } from "./project-folder";

export type Operation = "up" | "destroy" | "refresh";

export interface RunOptions extends UpOptions {
  /** Machine-ids of machines that the run replaces: nothing on them is removed first. */
  rebuilt?: readonly string[];
}

export interface OperationResult {
  /** Knows what changed. */
  view: UpdateView;
  /** Stack outputs; empty except after `up`. */
  outputs: OutputMap;
}

/**
 * Runs one Pulumi operation and shows its progress. An `up` after a failed or interrupted run reads every machine
 * first: machines may have changed without the state recording it.
 * @throws CommandEnded after a failure or interruption, which it reports
 */
export async function runOperation(
  stack: Stack,
  operation: Operation,
  session: Session,
  { rebuilt = [], ...options }: RunOptions = {},
): Promise<OperationResult> {
  assertNotHeld(stack.name);
  await releaseStaleLocks(stack, PROJECT, session.progress, session.signal);
  await clearPendingOperations(stack, PROJECT, session.progress);
  await writeMissingKeys(stack);
  const isUnfinished = isRunUnfinished(stack.name);
  const mustRefresh = operation === "up" && isUnfinished;
  if (mustRefresh && options.refresh !== true)
    session.progress("the last run did not finish: reading every machine first");
  // The engine (3.255) deletes again what an interrupted run had already removed from a machine in order to replace it.
  const replaced = [...rebuilt, ...(isUnfinished ? await undoneInstances(stack) : [])];
  const settings = mustRefresh ? { ...options, refresh: true } : options;
  if (operation !== "up" || settings.refresh === true) await recordRecoverySettings(stack, PROJECT);
  await forgetCommands(stack, abandonedMachines(stack.name, PROJECT));
  return await withRebuilt(stack, replaced, (config) =>
    runObserved(stack, operation, session, { ...settings, ...config }),
  );
}

async function runObserved(
  stack: Stack,
  operation: Operation,
  session: Session,
  options: UpOptions,
): Promise<OperationResult> {
  const view = new UpdateView(session.screen);
  const live = showMachines(session.screen, operation === "up" ? () => configuredMachines(stack) : undefined);
  const record = new RunRecord();
  const timeline = new TimelineRecorder();
  const stalled = new AbortController();
  const stallDetector = new StallDetector(() => stalled.abort());
  const settings = {
    ...options,
    onEvent: (event: EngineEvent) =>
      [view, live, record, timeline, stallDetector].forEach((observer) => observer.onEvent(event)),
    signal: AbortSignal.any([session.signal, stalled.signal]),
    color: "never" as const,
  };
  const keep = (outcome: RunTimeline["outcome"]) => {
    if (operation === "up" && timeline.hasWork) writeLastRun(stack.name, timeline.finish(outcome, view.failures));
  };
  try {
    const outputs = await withUnfinishedMark(stack.name, () => execute(stack, operation, settings));
    keep("succeeded");
    return { view, outputs };
  } catch (error) {
    session.screen.close();
    keep(session.signal.aborted ? "interrupted" : "failed");
    const progress = operation === "up" ? record.progress((await configuredMachines(stack)).names) : [];
    const run = { stack: stack.name, progress, failures: view.failures };
    printReport(
      session.signal.aborted
        ? interruptionReport(run)
        : failureReport({ ...run, reason: await reasonOfFailure(stack, session) }, error),
    );
    throw new CommandEnded(session.signal.aborted ? INTERRUPTED : 1, isLockFailure(error), !timeline.hasWork);
  } finally {
    stallDetector.close();
    live.close();
  }
}

/** Without a majority of etcd's members, the API answers with errors that do not name the reason: `is forbidden`. */
async function reasonOfFailure(stack: Stack, session: Session): Promise<string | undefined> {
  return await explainQuorumLoss(stack, session).then(
    (loss) => loss?.message,
    () => undefined,
  );
}

async function execute(stack: Stack, operation: Operation, settings: UpOptions): Promise<OutputMap> {
  // After an error only the resources that depend on the failed one wait; the others continue.
  if (operation === "up") return (await stack.up({ ...settings, continueOnError: true })).outputs;
  await stack[operation](settings);
  return {};
}
