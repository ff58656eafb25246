import { timeoutSignal } from "../../common/timer";
import { HOUR_MS } from "../../common/duration";
import { readContents } from "../../provider/host/files";
import type { Remote } from "../../provider/ssh/remote";
import { RENEWAL_RESULT, RENEWAL_SERVICE } from "../../render/renew-certificates";

/** Milliseconds after which systemd has ended a run: one that is still recorded as running was lost. */
const LONGEST_MS = 2 * HOUR_MS;
/** Milliseconds until a machine that does not answer is left out: its certificates are reported as unreadable. */
const LIMIT_MS = 20_000;

/** Returns the problems of the last runs of the timers that renew certificates, one for each control plane. */
export async function readRenewalProblems(
  controlPlanes: readonly Remote[],
  { signal, now = Date.now() }: { signal: AbortSignal; now?: number },
): Promise<string[]> {
  const problems = await Promise.all(
    controlPlanes.map(async (machine) => {
      const limited = timeoutSignal(LIMIT_MS, signal);
      const contents = await readContents(machine, [RENEWAL_RESULT], limited).catch(() => {
        signal.throwIfAborted();
        return new Map<string, string>();
      });
      return describeResult(contents.get(RENEWAL_RESULT) ?? "", machine.label, now);
    }),
  );
  return problems.flat();
}

/** Describes a failed run: `failed TIME`, and the reason in the next lines. */
function describeResult(text: string, machine: string, now: number): string[] {
  const [, state = "", time = "", reason = ""] = /^(\w+) (\S+)\n([^]*)$/.exec(text) ?? [];
  const isLost = state === "running" && now - Date.parse(time) > LONGEST_MS;
  if (state !== "failed" && !isLost) return [];
  const cause = isLost ? "the run has not ended" : reason.trim().replaceAll(/\s+/g, " ");
  return [
    `${machine}: ${RENEWAL_SERVICE} failed at ${time}: ${cause}; ` +
      `see \`journalctl -u ${RENEWAL_SERVICE}\` on the machine`,
  ];
}
