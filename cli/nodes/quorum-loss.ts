import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { controlPlaneRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { readMembersOfAny } from "./etcd-forecast";

/** Seconds within which a control plane must answer over SSH. */
const ANSWER_SECONDS = 15;

/**
 * Explains why the API of a cluster with several control planes does not answer: etcd has lost its majority. Returns
 * undefined if etcd answers, or if there is only one control plane.
 */
export async function explainQuorumLoss(stack: Stack, session: Session): Promise<StepError | undefined> {
  const machines = await controlPlaneRemotes(stack, session);
  if (machines.length < 2) return undefined;
  if (await readMembersOfAny(machines, session.signal)) return undefined;
  const answers = await Promise.all(machines.map((machine) => isReachable(machine, session.signal)));
  const silent = machines
    .filter((_, index) => answers[index] !== true)
    .map(({ connection }) => machineName(connection));
  return new StepError({
    step: "reading the cluster",
    cause: `${lossText(silent, machines.length)}; ${CONSEQUENCES}`,
    action:
      silent.length === 0
        ? "read etcd's log on a control plane: `crictl ps -a --name etcd`, then `crictl logs ID`"
        : `start enough of ${silent.join(", ")} again; if their machines are lost, recover the cluster from the ` +
          "control plane that is left, as docs/api-endpoint.md describes",
  });
}

const CONSEQUENCES =
  "running pods and Services continue, but the API accepts no change, so no pod is scheduled or moved, and no node " +
  "can join or leave";

function lossText(silent: readonly string[], count: number): string {
  return silent.length === 0
    ? `etcd does not answer on any of the ${count} control planes`
    : `${silent.length} of ${count} control planes do not answer (${silent.join(", ")}), and etcd has no majority`;
}

async function isReachable(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_SECONDS * 1_000)]);
  const answer = await machine.read("true", { step: "connecting", signal: limit }).then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  return answer;
}
