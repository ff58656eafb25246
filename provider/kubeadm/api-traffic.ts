import { StepError } from "../../common/errors";
import { BALANCER_ANSWER } from "../../render/api-balancer";
import { NO_OTHER_READY, STOP_ANSWERING, TAKEN_OUT, takeOutScript } from "../../render/api-traffic";
import type { Context } from "../rpc/handler";
import { ANY_CODE, type Remote } from "../ssh/remote";

const STEP = "taking the control plane out of the API balancers";
const SECONDS = 60;

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
  const hasOthers = await takeOut(context, machine, node);
  try {
    return await work();
  } finally {
    if (hasOthers && !context.signal.aborted) await restoreTraffic(context, machine);
  }
}

/**
 * Takes a control plane out of the API balancers of all nodes.
 * @returns whether the cluster has other control planes, to which its balancers lead
 */
export async function takeOut(context: Context, machine: Remote, node: string): Promise<boolean> {
  const { signal } = context;
  context.status(STEP);
  const { code } = await machine.run(takeOutScript(node), {
    step: STEP,
    signal,
    timeout: SECONDS,
    accept: ANY_CODE,
  });
  if (code === NO_OTHER_READY)
    context.info(`${machine.label}: no other API server is ready, so clients notice the restart`);
  else if (code !== TAKEN_OUT && code !== 0)
    context.warn(
      `${machine.label}: not taken out of the API balancers (exit code ${code}), whose checks notice a restart`,
    );
  return code !== 0;
}

/**
 * Ends the answers of a machine that is no control plane any more, and deletes what they have left. The balancers that
 * still know it keep the last answer: a machine that joins again puts itself back.
 */
export async function stopAnswering(context: Context, machine: Remote): Promise<void> {
  await machine.run(STOP_ANSWERING, { step: "ending the answers to the API balancers", signal: context.signal });
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
