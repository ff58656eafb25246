import type { Health } from "../../contracts/health";
import { quote } from "../../common/quote";
import type { Context } from "../rpc/handler";
import { ANY_CODE, type Remote } from "../ssh/remote";
import { BALANCER_PORT, BALANCER_SOCKET, BALANCER_UNIT } from "../../render/api-balancer";
import { HTTP_REQUEST } from "../../render/http-request";
import { probeHealth, type Endpoint } from "./health";
import { Stability, proveHealthy, type HealthState } from "./prove-healthy";
import { readJournal, readUnitState, unitProblem } from "./systemd";

/** Exit code of a check that will not succeed later. */
const FAILED_CODE = 3;
/** Commands that succeed when the API of a service answers. */
const API_CHECKS: Readonly<Record<string, string>> = {
  // containerd serves its API although its CRI plugins, which the kubelet needs, failed to load.
  "containerd.service": `plugins=$(ctr --connect-timeout 2s plugins ls) || exit 1
echo "$plugins" | awk '($1 ~ /cri/ || $2 == "cri") && $NF == "error" {exit ${FAILED_CODE}}'`,
  "docker.service": "docker version >/dev/null",
  [BALANCER_UNIT]: balancerCheck(),
};

/**
 * The balancer accepts connections. Once it finds a control plane ready, /readyz must also answer 200 through it. A
 * single control plane is not checked (`no check`), and may not exist yet.
 */
function balancerCheck(): string {
  return `${HTTP_REQUEST}
socat -u OPEN:/dev/null TCP:127.0.0.1:${BALANCER_PORT} || exit 1
echo 'show stat' | socat - UNIX-CONNECT:${BALANCER_SOCKET} | grep -q '^apiservers,[^B].*,UP' || exit 0
request OPENSSL:127.0.0.1:${BALANCER_PORT},verify=0 /readyz | grep -q '^HTTP/1.. 200'`;
}

/** Prints the kubelet's configured `healthzPort`; nothing if it is not configured (the default is 10248). */
const KUBELET_PORT = `cat /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet.conf.d/*.conf 2>/dev/null |
sed -n 's/^healthzPort: *\\([0-9]*\\).*/\\1/p' | tail -n 1; true`;

export interface UnitToProve {
  unit: string;
  health?: Health | undefined;
  /** Shell command that succeeds while what the unit has set up is in place. */
  probe?: string | undefined;
}

/** Seconds that a probe may take. */
const PROBE_SECONDS = 20;

/** Returns the problem of a unit whose `probe` fails; undefined if it succeeds, or there is none. */
export async function probeUnit(
  machine: Remote,
  { unit, probe }: Pick<UnitToProve, "unit" | "probe">,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (probe === undefined) return undefined;
  const options = { step: `checking ${unit}`, signal, accept: ANY_CODE };
  const script = `timeout ${PROBE_SECONDS} sh -c ${quote(probe)} >/dev/null 2>&1`;
  const { code } = await machine.read(script, options);
  return code === 0 ? undefined : "active, but what it set up is missing";
}

/**
 * Waits until a started unit is healthy: systemd keeps it active without a restart, its API answers, and its health
 * endpoint returns 200.
 * @throws StepError with the last lines of the unit's journal, as soon as the unit has failed, or at the deadline
 */
export async function waitUntilUnitHealthy(context: Context, machine: Remote, proved: UnitToProve): Promise<void> {
  const { signal, clock } = context;
  const { unit, probe } = proved;
  const health = await healthOf(machine, proved, signal);
  const stability = new Stability(clock);
  await proveHealthy(context, machine, {
    name: unit,
    timeout: health?.timeout,
    check: async () => {
      const state = await readUnitState(machine, unit, signal);
      const problem = unitProblem(state);
      if (problem !== undefined) return { failed: `the unit is ${problem}` };
      const unanswered = await findUnanswered(machine, { unit, health, probe }, signal);
      if (unanswered !== undefined) return unanswered;
      const hasNoProcess = !state.hasProcess || API_CHECKS[unit] !== undefined;
      return hasNoProcess || stability.isStable(state.invocation) ? "healthy" : { waiting: "it has just started" };
    },
    readLog: () => readJournal(machine, unit, signal),
    action: `see \`journalctl -u ${unit}\` on the machine`,
  });
}

/** Returns which check does not succeed yet; undefined if all do. */
async function findUnanswered(
  machine: Remote,
  { unit, health, probe }: Pick<UnitToProve, "unit" | "probe"> & { health?: Endpoint | undefined },
  signal: AbortSignal,
): Promise<Exclude<HealthState, "healthy"> | undefined> {
  const missing = await probeUnit(machine, { unit, probe }, signal);
  if (missing !== undefined) return { waiting: `it is ${missing}` };
  const check = API_CHECKS[unit];
  if (check !== undefined) {
    const options = { step: `checking ${unit}`, signal, accept: ANY_CODE };
    const { code } = await machine.run(`timeout 5 sh -c ${quote(check)}`, options);
    if (code === FAILED_CODE) return { failed: "its CRI plugin failed to load" };
    if (code !== 0) return { waiting: "its API does not answer" };
  }
  if (health === undefined) return undefined;
  const answer = await probeHealth(machine, health);
  return answer === "healthy" ? undefined : { waiting: `${answer} (port ${health.port}, ${health.path})` };
}

async function healthOf(
  machine: Remote,
  { unit, health }: UnitToProve,
  signal: AbortSignal,
): Promise<(Endpoint & { timeout?: number }) | undefined> {
  if (health !== undefined || unit !== "kubelet.service") return health;
  const { stdout } = await machine.read(KUBELET_PORT, { step: "reading the kubelet's configuration", signal });
  const port = stdout.trim() === "" ? 10_248 : Number(stdout.trim());
  return port === 0 ? undefined : { scheme: "HTTP", port, path: "/healthz" };
}
