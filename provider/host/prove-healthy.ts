import type { Clock } from "../../common/clock";
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/**
 * Milliseconds that a process must run without a restart. The kubelet, for example, answers /healthz for a moment
 * before it exits because of a wrong configuration.
 */
const STABLE_MS = 3_000;
const POLL_MS = 250;

/** What a health check found. What is `waiting` may still become healthy, what has `failed` will not. */
export type HealthState = "healthy" | { waiting: string } | { failed: string };

export interface HealthProof {
  /** What must become healthy: `containerd.service`. */
  name: string;
  /** Seconds. @default `timeouts.healthy` of the configuration */
  timeout?: number | undefined;
  check: () => Promise<HealthState>;
  /** Returns the last lines that the service logged, for the error. */
  readLog?: () => Promise<string>;
  /** The user's next action. */
  action: string;
}

type ProofContext = Pick<Context, "signal" | "status" | "settings">;

/**
 * Waits until a health check succeeds. The status line shows what the wait is for.
 * @throws StepError with the service's last lines, as soon as the check has failed, or at the deadline
 */
export async function proveHealthy(context: ProofContext, machine: Remote, proof: HealthProof): Promise<void> {
  try {
    await waitUntilHealthy(context, machine, proof);
  } catch (error) {
    if (!(error instanceof UnhealthyError)) throw error;
    const log = (await proof.readLog?.()) ?? "";
    throw new StepError({
      step: `starting ${proof.name}`,
      machine: machine.label,
      cause: log === "" ? error.message : `${error.message}:\n${log}`,
      action: proof.action,
    });
  }
}

async function waitUntilHealthy(context: ProofContext, machine: Remote, proof: HealthProof): Promise<void> {
  const { signal, status, settings } = context;
  let last: string | undefined;
  const report = (reason: string) => {
    if (reason !== last) status(`waiting for ${proof.name} to become healthy: ${reason}`);
    last = reason;
  };
  status(`waiting for ${proof.name} to become healthy`);
  await until(
    async () => {
      const state = await proof.check();
      if (state === "healthy") return true;
      if ("failed" in state) throw new UnhealthyError(state.failed);
      return report(state.waiting);
    },
    {
      signal,
      timeout: proof.timeout ?? settings.healthySeconds,
      patience: machine.patience,
      every: POLL_MS,
      onTimeout: (seconds) => new UnhealthyError(`it is not healthy after ${seconds} s: ${last}`),
    },
  );
}

/** A failed health check, before the log is read. */
class UnhealthyError extends Error {}

/** Measures for how long a state has not changed. */
export class Stability {
  private state: string | undefined;
  private since = 0;

  /** @param duration milliseconds after which a state is stable */
  constructor(
    private readonly clock: Clock,
    private readonly duration = STABLE_MS,
  ) {}

  /** @param state identifies the state, such as the start of a process */
  isStable(state: string): boolean {
    const now = this.clock.now();
    if (state !== this.state) [this.state, this.since] = [state, now];
    return now - this.since >= this.duration;
  }
}
