import * as pulumi from "@pulumi/pulumi";
import { POOL_LABEL } from "../common/labels";
import type { Runtime } from "../common/runtime";
import type { ConnectionArgs } from "../sdk/connection";
import { Binaries, type Host } from "../sdk/host";
import { KubeadmJoin, Node, type NodeArgs, type Preflight } from "../sdk/kubernetes";
import type { Artifacts } from "../sdk/local";
import { joinDocument, type KubeadmNode } from "../render/kubeadm";
import type { MachineRole } from "../render/preflight";
import { type Machine, nodeAddress } from "./machines/machine";
import { NodeSetup, type NodeSetupArgs } from "./node-setup";
import type { DrainSettings, NetworkSettings, NodeSettings, Timeouts } from "./settings";

/** What every node of a cluster is given, whatever its role. */
export interface MemberArgs {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  preflight: Preflight;
  artifacts: Artifacts;
  runtime: Runtime;
  kubeletArtifacts?: Artifacts;
  kubeletVersion: string;
  network: NetworkSettings;
  /** All machines of the cluster: name to address. */
  neighbours: Record<string, pulumi.Input<string>>;
  timeouts: Timeouts;
  settings: NodeSettings;
  /** Nodes of one pool stand in for one another. */
  pool: string;
  maxUnavailable: number;
  drain: DrainSettings;
}

/** What a node needs to know of the cluster that it joins. */
export interface ClusterHandle {
  /** What makes the cluster be: with it, everything in the cluster goes. */
  origin: pulumi.Resource;
  /** `sha256:<hex>` */
  caCertHash: pulumi.Input<string>;
  /** `host:port` */
  endpoint: pulumi.Input<string>;
  controlPlanes: ConnectionArgs[];
  /** Without it no node becomes Ready, so none is waited for. */
  podNetwork: pulumi.Resource;
}

/** What differs for a node of a cluster that is built by components. */
export type SetUpOptions = Pick<NodeSetupArgs, "components"> & { after?: pulumi.Resource[] };

export function setUp(
  name: string,
  role: MachineRole,
  args: MemberArgs,
  parent: pulumi.Resource,
  { after = [], ...more }: SetUpOptions = {},
): NodeSetup {
  const { machine, connection, host, artifacts, kubeletArtifacts, network, runtime, settings } = args;
  return new NodeSetup(
    name,
    {
      machine,
      connection,
      host,
      role,
      runtime,
      artifacts,
      ...(kubeletArtifacts ? { kubeletArtifacts } : {}),
      network,
      neighbours: args.neighbours,
      kubelet: {
        version: args.kubeletVersion,
        settings: settings.kubelet ?? {},
        extraArgs: settings.kubeletArgs ?? {},
      },
      after: [args.preflight, ...after],
      ...more,
    },
    { parent },
  );
}

/** kubeadm's view of a node, once its facts are known. */
export function kubeadmNode(args: MemberArgs): pulumi.Output<KubeadmNode> {
  const { machine, host, artifacts, runtime, settings } = args;
  return pulumi.all([host.facts, nodeAddress(machine), artifacts.images]).apply(([facts, address, images]) => ({
    name: machine.name,
    address,
    facts,
    runtime,
    imagesSideLoaded: images.kind === "archives",
    ...(settings.taints ? { taints: settings.taints } : {}),
  }));
}

/** Joins the machine, as a worker or as one more control plane, once everything in `after` is there. */
export function join(
  args: MemberArgs,
  role: MachineRole,
  cluster: ClusterHandle,
  after: pulumi.Resource[],
  parent: pulumi.Resource,
): KubeadmJoin {
  const { machine, connection, host, timeouts } = args;
  // A worker's membership goes with its machine. A control plane also counts in etcd, which must be told, unless the whole cluster goes.
  const goesWith = role === "control-plane" ? cluster.origin : machine.madeBy;
  const document = pulumi
    .all([kubeadmNode(args), cluster.endpoint])
    .apply(([node, apiServerEndpoint]) =>
      joinDocument({ node, apiServerEndpoint, ...(role === "control-plane" ? { controlPlane: {} } : {}) }),
    );
  return new KubeadmJoin(
    `${machine.name}-join`,
    {
      connection,
      instance: host.instance,
      controlPlanes: cluster.controlPlanes,
      document,
      caCertHash: cluster.caCertHash,
      timeout: timeouts.join,
    },
    { parent, dependsOn: after, ...(goesWith ? { deletedWith: goesWith } : {}) },
  );
}

/** For people who log in; nothing waits for it. */
export function addTool(
  { machine, connection, host, artifacts }: MemberArgs,
  tool: "kubectl" | "etcdctl",
  after: pulumi.Resource,
  parent: pulumi.Resource,
): void {
  const { path, sha256 } = artifacts.binaries[tool];
  new Binaries(
    `${machine.name}-${tool}`,
    {
      connection,
      instance: host.instance,
      files: { [`/usr/local/bin/${tool}`]: sha256 },
      sources: sha256.apply((hash) => ({ [hash]: path })),
    },
    { parent, dependsOn: [after], ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) },
  );
}

/** Where no controller manager does it, from the first rungs on. */
export type NodeStandIn = Pick<NodeArgs, "podCidr" | "uncontrolled">;

/** The node as the API sees it. It leaves the cluster before anything on its machine is undone. */
export function node(
  args: MemberArgs,
  cluster: ClusterHandle,
  membership: pulumi.CustomResource,
  after: pulumi.Resource,
  parent: pulumi.Resource,
  { standIn = {}, labels = {} }: { standIn?: NodeStandIn; labels?: Record<string, string> } = {},
): Node {
  const { machine, connection, host, settings, timeouts, pool, maxUnavailable, drain } = args;
  return new Node(
    `${machine.name}-node`,
    {
      controlPlanes: cluster.controlPlanes,
      node: machine.name,
      instance: host.instance,
      membership: membership.id,
      labels: { ...labels, ...settings.labels, [POOL_LABEL]: pool },
      annotations: settings.annotations ?? {},
      taints: settings.taints ?? [],
      schedulable: true,
      readyTimeout: timeouts.ready,
      drain,
      pool,
      maxUnavailable,
      connection,
      ...standIn,
    },
    // When the whole cluster goes there is nowhere to drain to.
    { parent, dependsOn: [membership, after, cluster.podNetwork], deletedWith: cluster.origin },
  );
}
