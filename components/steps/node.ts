import type * as pulumi from "@pulumi/pulumi";
import { POOL_LABEL } from "../../common/labels";
import { optional } from "../../common/optional";
import { Binaries } from "../../sdk/host";
import { Node, type NodeArgs } from "../../sdk/kubernetes";
import { inCluster } from "./cluster-handle";
import { servingAddresses } from "./kubelet-serving";
import type { ClusterMember } from "./member";
import { binariesOf } from "./node-preparation";
import type { ClusterScope, MachineScope } from "./step";

/** What a node gets from Kubewright where no controller manager runs, below the ladder's rung `controllers`. */
export type NodeWithoutControllers = Pick<NodeArgs, "podCidr" | "uncontrolled">;

export interface NodeOptions {
  /** Id of the resource that made the machine a node. */
  membership: pulumi.Input<string>;
  /** Id of the backup from which the cluster was last restored. */
  restoredFrom?: pulumi.Input<string | undefined>;
  labels?: Record<string, string>;
  withoutControllers?: NodeWithoutControllers;
}

/**
 * The node in the API: labels, taints, and waiting until it is Ready. It is drained and leaves the cluster before its
 * machine is changed.
 */
export function addNode(
  { member, after, cluster }: ClusterScope,
  { membership, restoredFrom, labels = {}, withoutControllers = {} }: NodeOptions,
): Node {
  const { settings, plan, poolName } = member;
  return new Node(
    member.resourceName("node"),
    {
      controlPlanes: cluster.controlPlanes,
      node: member.name,
      instance: member.host.instance,
      membership,
      ...kubeletOf(member),
      ...(restoredFrom === undefined ? {} : { restoredFrom }),
      ...optional({ servingAddresses: servingAddresses(member) }),
      labels: { ...labels, ...settings.labels, [POOL_LABEL]: poolName },
      annotations: settings.annotations ?? {},
      taints: settings.taints ?? [],
      schedulable: true,
      readyTimeout: plan.timeouts.ready,
      ...optional({ soak: member.soak > 0 ? member.soak : undefined }),
      drain: plan.drain,
      pool: poolName,
      maxUnavailable: member.maxUnavailable,
      connection: member.connection,
      ...withoutControllers,
    },
    // When the whole cluster is deleted there is no other node for the pods, so nothing is drained.
    inCluster(cluster, member.groups.node, after),
  );
}

/** The node's kubelet, which the node replaces in an upgrade. */
function kubeletOf(member: ClusterMember): Pick<NodeArgs, "version" | "program" | "usesKubeadm"> {
  const { kubeletVersion: version, plan } = member;
  const usesKubeadm = plan.components ? false : undefined;
  return { version, program: binariesOf(member).hashes.kubelet, ...optional({ usesKubeadm }) };
}

/** Installs a command-line tool for users who log in to the machine. No step needs it. */
export function installTool({ member, after }: MachineScope, tool: "kubectl" | "etcdctl"): Binaries {
  const { path, sha256 } = member.artifacts.binaries[tool];
  return new Binaries(
    member.resourceName(tool),
    {
      ...member.onMachine,
      files: { [`/usr/local/bin/${tool}`]: sha256 },
      sources: sha256.apply((hash) => ({ [hash]: path })),
    },
    member.options(member.groups.controlPlane?.() ?? member.groups.node, after),
  );
}
