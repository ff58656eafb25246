import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import type { Connection } from "../../contracts/connection";
import { readHealthProblems, type HealthProblem } from "../kube/health-gate";
import type { KubeApi } from "../kube/api";
import type { Context } from "../rpc/handler";

const EVERY_MS = 5_000;

export interface SoakOptions {
  /** Name of the node that has another version. */
  node: string;
  /** Seconds for which the cluster must stay healthy. */
  seconds: number;
  controlPlanes: readonly Connection[];
  /** Problems from before the change, which do not count. */
  before: readonly HealthProblem[];
}

/**
 * Watches the cluster after a node got another version. A problem counts where two checks in a row find it: a single
 * lost request is no reason to put a node back.
 * @throws StepError that names the problem
 */
export async function soak(context: Context, api: KubeApi, options: SoakOptions): Promise<void> {
  const { node, seconds } = options;
  const { signal, status } = context;
  const start = Date.now();
  let last: readonly HealthProblem[] = [];
  const check = async () => {
    const problems = withoutKnown(await readProblems(context, api, options), options.before);
    const repeated = problems.find(({ key }) => last.some((problem) => problem.key === key));
    const passed = Math.floor((Date.now() - start) / 1_000);
    if (repeated) throw unhealthyError(repeated, options, passed);
    last = problems;
    const [first] = problems;
    status(`${node} soaks: ${first ? first.detail : `healthy for ${passed} of ${seconds} s`}`);
    return (problems.length === 0 && passed >= seconds) || undefined;
  };
  await until(check, { signal, timeout: Infinity, every: EVERY_MS, onTimeout: () => new Error("unreachable") });
  context.info(`${node}: the cluster stayed healthy for ${seconds} s after the upgrade of this node`);
}

/** Problems of the cluster; that the API does not answer is one of them. */
async function readProblems(
  context: Context,
  api: KubeApi,
  { node, controlPlanes }: SoakOptions,
): Promise<HealthProblem[]> {
  try {
    return await readHealthProblems(context, api, { node, controlPlanes });
  } catch (error) {
    context.signal.throwIfAborted();
    return [{ key: "api", detail: `the API does not answer: ${messageOf(error)}` }];
  }
}

function withoutKnown(problems: readonly HealthProblem[], known: readonly HealthProblem[]): HealthProblem[] {
  return problems.filter(({ key }) => !known.some((problem) => problem.key === key));
}

function unhealthyError({ detail }: HealthProblem, { node, seconds }: SoakOptions, passed: number): StepError {
  return new StepError({
    step: "soaking after the upgrade",
    machine: node,
    cause: `${detail} (after ${passed} of ${seconds} s); the other nodes keep their version`,
    action: "repair what it names, then run `pulumi up` again",
  });
}
