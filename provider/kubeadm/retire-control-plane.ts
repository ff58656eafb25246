import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { withoutTraffic } from "./api-traffic";
import { handOverLeadership } from "./etcd-member";
import { resetNode } from "./reset";

interface Retirement {
  /** Name of the node. */
  node: string;
  /** The control planes that stay. */
  others: readonly Remote[];
  /** Resets the machine even when etcd refuses to remove its member. */
  abandoned: boolean;
}

/**
 * Resets a control plane whose cluster lives on. Clients use the other API servers before this one loses its etcd, and
 * etcd's leader does not leave without a successor: otherwise requests would wait for seconds.
 * @throws StepError, before anything is deleted, when etcd refuses to remove the member; the control plane serves again
 */
export async function retireControlPlane(
  context: Context,
  machine: Remote,
  { node, others, abandoned }: Retirement,
): Promise<void> {
  await withoutTraffic(context, machine, node, async () => {
    await handOverLeadership(machine, context);
    await resetNode(machine, { ...context, others, abandoned });
  });
}
