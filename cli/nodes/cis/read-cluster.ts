import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../../common/errors";
import { machineRemotes } from "../../engine/machines";
import type { Session } from "../../engine/session";
import { readStackConfig } from "../../engine/stack-config";
import { controlPlanes } from "../../engine/state";
import { missingCluster } from "../../engine/cluster-api";
import { type MachineFacts, readMachineFacts } from "./facts";

/**
 * Reads what the CIS Benchmark asks of every machine of a stack.
 * @throws StepError where the cluster is built by components, or a machine does not answer
 */
export async function readClusterFacts(stack: Stack, session: Session): Promise<MachineFacts[]> {
  await requireKubeadm(stack);
  const { provider, signal } = session;
  const [first] = await controlPlanes(stack);
  if (!first) throw missingCluster(stack.name);
  const machines = await machineRemotes(stack, session);
  return await Promise.all(
    machines.map(async (machine) => {
      const name = machine.connection.name ?? machine.connection.host;
      const path = `/api/v1/nodes/${name}/proxy/configz`;
      const readKubelet = () => provider.kube.readText(first, path, signal);
      return await readMachineFacts(machine, { name, readKubelet, signal });
    }),
  );
}

async function requireKubeadm(stack: Stack): Promise<void> {
  const { bootstrap } = await readStackConfig(stack);
  if (bootstrap === "kubeadm") return;
  throw new StepError({
    step: "reading the cluster",
    cause: `the cluster is built by ${bootstrap}, and the table is about clusters that kubeadm builds`,
    action: "leave --cis out",
  });
}
