import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import { readMembers } from "../../provider/kubeadm/etcd-status";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { controlPlaneRemotes } from "./machines";
import type { Session } from "./session";

/** Seconds within which a control plane must answer over SSH. */
const ANSWER_SECONDS = 10;
/** Seconds to read etcd's members. Without a majority, etcd takes five to answer. */
const READ_SECONDS = 20;

/**
 * Explains why the API of a cluster with several control planes does not answer: etcd has lost its majority. Returns
 * undefined if etcd answers, or if there is only one control plane.
 */
export async function explainQuorumLoss(stack: Stack, session: Session): Promise<StepError | undefined> {
  const machines = await controlPlaneRemotes(stack, session);
  if (machines.length < 2) return undefined;
  const states = await Promise.all(machines.map((machine) => readState(machine, session.signal)));
  if (states.includes("etcd answers")) return undefined;
  const silent = machines
    .filter((_, index) => states[index] === "silent")
    .map(({ connection }) => machineName(connection));
  const [left = "NODE"] = machines.map(({ connection }) => machineName(connection)).filter((n) => !silent.includes(n));
  return new StepError({
    step: "reading the cluster",
    cause: `${lossText(silent, machines.length)}; ${CONSEQUENCES}`,
    action:
      silent.length === 0
        ? "read etcd's log on a control plane: `crictl ps -a --name etcd`, then `crictl logs ID`"
        : `start enough of ${silent.join(", ")} again; if their machines are lost for good, make etcd a cluster of ` +
          `one on a control plane that is left: \`${userCommand("recover", left)}\``,
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

type State = "silent" | "answers" | "etcd answers";

async function readState(machine: Remote, signal: AbortSignal): Promise<State> {
  const limit = (seconds: number) => timeoutSignal(seconds * 1_000, signal);
  const isReachable = await isFulfilled(machine.read("true", { step: "connecting", signal: limit(ANSWER_SECONDS) }));
  const members = isReachable ? await readMembers(machine, limit(READ_SECONDS)).catch(() => undefined) : undefined;
  signal.throwIfAborted();
  if (members) return "etcd answers";
  return isReachable ? "answers" : "silent";
}

async function isFulfilled(request: Promise<unknown>): Promise<boolean> {
  return await request.then(
    () => true,
    () => false,
  );
}
