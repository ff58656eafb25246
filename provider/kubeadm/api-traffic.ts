import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { BALANCER_ANSWER, BALANCER_CONFIG, BALANCER_SOCKET } from "../../render/api-balancer";
import type { Context } from "../rpc/handler";
import { ANY_CODE, type Remote } from "../ssh/remote";

const STEP = "taking the control plane out of the API balancers";
const SECONDS = 60;
/** Exit codes of the script that takes a control plane out. */
const OUT = 10;
const NO_OTHER = 11;

/**
 * Takes a control plane out of the API balancers of all nodes, does the work, and puts it back, also if the work fails.
 * Without another API server that is ready, the work is done all the same. After an interruption the control plane puts
 * itself back: see `templates/api-balancer/answer.sh`.
 */
export async function withoutTraffic<T>(
  context: Context,
  machine: Remote,
  node: string,
  work: () => Promise<T>,
): Promise<T> {
  context.status(STEP);
  const hasOthers = await takeOut(context, machine, node);
  try {
    return await work();
  } finally {
    if (hasOthers && !context.signal.aborted) await restoreTraffic(context, machine);
  }
}

/** @returns whether the cluster has other control planes, to which its balancers lead */
async function takeOut(context: Context, machine: Remote, node: string): Promise<boolean> {
  const { signal } = context;
  const { code } = await machine.run(takeOutScript(node), {
    step: STEP,
    signal,
    timeout: SECONDS,
    accept: ANY_CODE,
  });
  if (code === NO_OTHER) context.info(`${machine.label}: no other API server is ready, so clients notice the restart`);
  else if (code !== OUT && code !== 0)
    context.warn(
      `${machine.label}: not taken out of the API balancers (exit code ${code}), whose checks notice a restart`,
    );
  return code !== 0;
}

/**
 * Puts a control plane back into the API balancers. Also without a result of `takeOut`: an interrupted run may have
 * taken the control plane out.
 */
export async function restoreTraffic(context: Context, machine: Remote): Promise<void> {
  const script = `[ ! -e ${BALANCER_ANSWER} ] || sh ${BALANCER_ANSWER} ready`;
  try {
    await machine.run(script, {
      step: "putting the control plane back into the API balancers",
      signal: context.signal,
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    context.warn(`${error.message}; it puts itself back within 15 minutes`);
  }
}

/**
 * Succeeds without a change where the cluster has one control plane or no balancers. The control plane's own balancer
 * shows when the answer has arrived; all others ask within the same interval.
 */
function takeOutScript(node: string): string {
  return `[ -S ${BALANCER_SOCKET} ] && [ -e ${BALANCER_ANSWER} ] || exit 0
servers() { echo 'show stat' | socat -t 5 - UNIX-CONNECT:${BALANCER_SOCKET} |
  awk -F, '$1 == "apiservers" && $2 != "BACKEND" {print $2, $18}'; }
own=${quote(node)}
is_other_up() { servers | awk -v own="$own" '$1 != own && $2 == "UP" && NF == 2 {up = 1} END {exit !up}'; }
is_out() { servers | awk -v own="$own" '$1 == own && $2 == "DRAIN" {out = 1} END {exit !out}'; }
within() { tries=$1; until "$2"; do tries=$((tries - 1)); [ "$tries" -gt 0 ] || return 1; sleep 0.5; done; }
[ "$(servers | wc -l)" -gt 1 ] || exit 0
within 20 is_other_up || exit ${NO_OTHER}
sh ${BALANCER_ANSWER} drain || exit 1
within 20 is_out || exit 1
sleep "$(sed -n 's/.*agent-inter \\([0-9]*\\)s.*/\\1/p' ${BALANCER_CONFIG} | head -n 1)"
exit ${OUT}`;
}
