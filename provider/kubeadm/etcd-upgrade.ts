import { StepError } from "../../common/errors";
import { HEALTH } from "../../render/components/static-pod";
import { probeHealth } from "../host/health";
import { Stability, proveHealthy } from "../host/prove-healthy";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { describeUnreadable, hasApiServer } from "./component-upgrade";
import { SNAPSHOTS } from "../../render/backup/save-snapshot";

const API_SERVER = "kube-apiserver";

/** Another program of etcd, in a control plane that runs without kubeadm. */
export interface EtcdUpgrade {
  /** Version of etcd before, without `v`; undefined if it is not known. */
  from?: string | undefined;
  /** Version of etcd that runs now, without `v`; undefined if it is not known. */
  to?: string | undefined;
  /** Where the API server's log is. */
  logs: string;
}

/** The API server is not healthy with a new etcd, which cannot be put back. */
export class KeptEtcdError extends StepError {}

/**
 * Waits until the API server, which still has its own version, is ready with a new etcd. Then etcd's upgrade cannot be
 * the reason if the API server's own upgrade fails later, and only the API server is put back. Does nothing where there
 * is no API server yet.
 * @throws StepError at the deadline (`timeouts.healthy`); KeptEtcdError if the previous etcd cannot read the data
 */
export async function proveEtcdUpgrade(context: Context, machine: Remote, upgrade: EtcdUpgrade): Promise<void> {
  try {
    await proveApiServer(context, machine, { etcd: "new", logs: upgrade.logs });
  } catch (error) {
    // Within a minor version, etcd reads what a later patch release has written.
    const unreadable = describeUnreadable({ from: upgrade.to, to: upgrade.from });
    if (unreadable === undefined || !(error instanceof StepError) || context.signal.aborted) throw error;
    throw new KeptEtcdError({
      ...error.failure,
      cause: `${error.failure.cause}\netcd was not put back: ${unreadable}`,
      action:
        `see ${upgrade.logs} on the machine, fix the cause, then run \`pulumi up\` again; ` +
        `the snapshot from before the upgrade is in ${SNAPSHOTS}`,
    });
  }
}

/** Waits until the API server is ready again with the etcd of before. */
export async function proveEtcdRestored(
  context: Context,
  machine: Remote,
  { logs }: Pick<EtcdUpgrade, "logs">,
): Promise<void> {
  await proveApiServer(context, machine, { etcd: "previous", logs });
}

async function proveApiServer(
  context: Context,
  machine: Remote,
  { etcd, logs }: { etcd: "new" | "previous"; logs: string },
): Promise<void> {
  if (!(await hasApiServer(machine, context.signal))) return;
  const { scheme, port, ready: path } = HEALTH[API_SERVER];
  const stability = new Stability(context.clock);
  await proveHealthy(context, machine, {
    name: `${API_SERVER} with the ${etcd} etcd`,
    check: async () => {
      const answer = await probeHealth(machine, { scheme, port, path });
      const isStable = stability.isStable(answer);
      if (answer !== "healthy") return { waiting: `${answer} (port ${port}, ${path})` };
      return isStable ? answer : { waiting: "it has just become ready" };
    },
    action: `see ${logs} on the machine`,
  });
}
