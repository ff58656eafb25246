import type { Health } from "../../contracts/health";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { until } from "../../common/wait";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { probeHealth } from "./health";
import { readJournal, readUnitState, unitProblem } from "./systemd";

/** Seconds until a unit must be healthy, unless its `health` sets another time. */
const HEALTHY_SECONDS = 60;
/**
 * Milliseconds that a service must run without a restart if its API is not checked. The kubelet, for example, answers
 * /healthz for a moment before it exits because of a wrong configuration.
 */
const STABLE_MS = 3_000;

/** Commands that succeed when the API of a service answers. */
const API_CHECKS: Readonly<Record<string, string>> = {
  "containerd.service": "ctr --connect-timeout 2s version >/dev/null",
  "docker.service": "docker version >/dev/null",
};

/** Prints the kubelet's configured `healthzPort`; nothing if it is not configured (the default is 10248). */
const KUBELET_PORT = `cat /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet.conf.d/*.conf 2>/dev/null |
sed -n 's/^healthzPort: *\\([0-9]*\\).*/\\1/p' | tail -n 1; true`;

export interface UnitToProve {
  unit: string;
  health?: Health | undefined;
}

/**
 * Waits until a started unit is healthy: systemd keeps it active without a restart, its API answers, and its health
 * endpoint returns 200.
 * @throws StepError with the last lines of the unit's journal, as soon as the unit has failed, or at the deadline
 */
export async function waitUntilUnitHealthy(context: Context, machine: Remote, proved: UnitToProve): Promise<void> {
  const { signal, status, clock } = context;
  const { unit } = proved;
  const health = await healthOf(machine, proved, signal);
  status(`waiting for ${unit} to become healthy`);
  let last = "it did not start";
  let stable: { invocation: string; since: number } | undefined;
  await until(
    async () => {
      const state = await readUnitState(machine, unit, signal);
      const problem = unitProblem(state);
      if (problem !== undefined) throw await unhealthy(machine, unit, `the unit is ${problem}`, signal);
      const unanswered = await findUnanswered(machine, unit, health, signal);
      last = unanswered ?? "it restarted";
      if (unanswered !== undefined) return undefined;
      if (!state.hasProcess || API_CHECKS[unit] !== undefined) return true;
      if (stable?.invocation !== state.invocation) stable = { invocation: state.invocation, since: clock.now() };
      return clock.now() - stable.since >= STABLE_MS ? true : undefined;
    },
    {
      signal,
      timeout: health?.timeout ?? HEALTHY_SECONDS,
      patience: machine.patience,
      every: 500,
      onTimeout: (seconds) =>
        new StepError({
          step: `starting ${unit}`,
          machine: machine.label,
          cause: `it is not healthy after ${seconds} s: ${last}`,
          action: `see \`journalctl -u ${unit}\` on the machine`,
        }),
    },
  );
}

/** Returns which check does not succeed yet; undefined if all do. */
async function findUnanswered(
  machine: Remote,
  unit: string,
  health: Health | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const check = API_CHECKS[unit];
  if (check !== undefined) {
    const options = { step: `checking ${unit}`, signal, accept: Array.from({ length: 256 }, (_, code) => code) };
    if ((await machine.run(`timeout 5 sh -c ${quote(check)}`, options)).code !== 0) return "its API does not answer";
  }
  if (health === undefined) return undefined;
  const answer = await probeHealth(machine, health);
  return answer === "healthy" ? undefined : `${answer} (port ${health.port}, ${health.path})`;
}

async function healthOf(
  machine: Remote,
  { unit, health }: UnitToProve,
  signal: AbortSignal,
): Promise<Health | undefined> {
  if (health !== undefined || unit !== "kubelet.service") return health;
  const { stdout } = await machine.read(KUBELET_PORT, { step: "reading the kubelet's configuration", signal });
  const port = stdout.trim() === "" ? 10_248 : Number(stdout.trim());
  return port === 0 ? undefined : { scheme: "HTTP", port, path: "/healthz", timeout: HEALTHY_SECONDS };
}

async function unhealthy(machine: Remote, unit: string, problem: string, signal: AbortSignal): Promise<StepError> {
  const journal = await readJournal(machine, unit, signal);
  return new StepError({
    step: `starting ${unit}`,
    machine: machine.label,
    cause: journal === "" ? problem : `${problem}:\n${journal}`,
    action: `see \`journalctl -u ${unit}\` on the machine`,
  });
}
