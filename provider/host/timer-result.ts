import { timeoutSignal } from "../../common/timer";
import type { Remote } from "../ssh/remote";
import { readContents } from "./files";

/** A timer of Kubewright that records how its last run ended: `failed TIME`, and the reason in the next lines. */
export interface RecordedTimer {
  /** The service that the timer starts. */
  service: string;
  /** Path of the record. */
  result: string;
  /** Milliseconds after which systemd has ended a run: one that is still recorded as running was lost. */
  longest: number;
}

/** Milliseconds until a machine that does not answer is left out: other parts of the status report it. */
const LIMIT_MS = 20_000;

/** Returns the problems of a timer's last runs, one for each machine. */
export async function readTimerProblems(
  machines: readonly Remote[],
  timer: RecordedTimer,
  { signal, now = Date.now() }: { signal: AbortSignal; now?: number | undefined },
): Promise<string[]> {
  const limited = timeoutSignal(LIMIT_MS, signal);
  const problems = await Promise.all(
    machines.map(async (machine) => {
      const contents = await readContents(machine, [timer.result], limited).catch(() => {
        signal.throwIfAborted();
        return new Map<string, string>();
      });
      return describeResult(contents.get(timer.result) ?? "", machine.label, timer, now);
    }),
  );
  return problems.flat();
}

function describeResult(text: string, machine: string, { service, longest }: RecordedTimer, now: number): string[] {
  const [, state = "", time = "", reason = ""] = /^(\w+) (\S+)\n([^]*)$/.exec(text) ?? [];
  const isLost = state === "running" && now - Date.parse(time) > longest;
  if (state !== "failed" && !isLost) return [];
  const cause = isLost ? "the run has not ended" : reason.trim().replaceAll(/\s+/g, " ");
  return [`${machine}: ${service} failed at ${time}: ${cause}; see \`journalctl -u ${service}\` on the machine`];
}
