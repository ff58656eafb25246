import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { ConnectionArgs } from "../sdk/connection";
import { Host } from "../sdk/host";
import { Rollout } from "../sdk/kubernetes";
import { Artifacts, type ClusterAccess, kubeconfigOf } from "../sdk/local";
import { corednsPatch } from "../render/coredns";
import type { MachineRole } from "../render/preflight";
import { planProblems } from "../render/preflight-plan";
import { ControlPlane } from "./control-plane";
import { Ladder } from "./ladder/ladder";
import { type Machine, connectionOf, controllerArch, nodeAddress, pinned } from "./machines/machine";
import type { ClusterHandle, MemberArgs } from "./cluster-member";
import { type PoolArgs, settingsOf } from "./pool";
import { Preflights } from "./preflights";
import {
  type ComponentsSettings,
  type ControlPlaneSettings,
  DEFAULT_DRAIN,
  DEFAULT_NETWORK,
  DEFAULT_TIMEOUTS,
  type DrainSettings,
  type NetworkSettings,
  type Timeouts,
} from "./settings";
import type { Turns } from "./rolling-update";
import { Worker } from "./worker";

export interface ClusterArgs {
  /** Kubernetes' version without the `v`. */
  version: string;
  /** Where binaries and images come from. Default `auto`: the official downloads where they can be reached, else built from modules. */
  source?: string;
  /** What runs containers on every node. Default containerd. */
  runtime?: Runtime;
  /** An odd number of machines. */
  controlPlanes: Machine[];
  /** The workers, by kind; none is a cluster of control planes only. */
  pools?: PoolArgs[];
  controlPlane?: ControlPlaneSettings;
  network?: Partial<NetworkSettings>;
  timeouts?: Partial<Timeouts>;
  drain?: Partial<DrainSettings>;
  /** So that a change of many machines takes them in turn; the same that makes the machines. Without it they are changed all at once. */
  turns?: Turns;
  /** Images for examples and tests too. */
  extras?: boolean;
  /** Present: built one component at a time, not by kubeadm. */
  components?: ComponentsSettings;
}

/** A machine that the cluster is told of, and its place. */
interface Found {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  role: MachineRole;
  pool?: PoolArgs;
}

type Known = Found & { args: Omit<MemberArgs, "settings"> };

/**
 * A Kubernetes cluster on machines that somebody else made. It knows their addresses and keys, and nothing of Docker, Vagrant or a cloud.
 *
 * @example
 * const cluster = new Cluster("dev", { version: "1.36.3", controlPlanes: [machines[0]], pools: [{ name: "workers", machines: machines.slice(1) }] });
 */
export class Cluster extends pulumi.ComponentResource {
  readonly artifacts: Artifacts;
  private readonly api: ClusterAccess | undefined;
  private readonly workers = new Map<string, pulumi.Resource>();
  private readonly artifactSets = new Map<string, Artifacts>();

  constructor(
    private readonly name: string,
    private readonly args: ClusterArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:Cluster", name, {}, options);
    const network = { ...DEFAULT_NETWORK, ...args.network };
    refuseWrongPlan(name, args, network);
    const timeouts = { ...DEFAULT_TIMEOUTS, ...args.timeouts };

    this.artifacts = this.artifactsFor(args.version, args.controlPlanes[0]);
    const workers = (args.pools ?? []).flatMap((pool) =>
      this.look(pool.machines, "worker").map((one) => ({ ...one, pool })),
    );
    const found: Found[] = [...this.look(args.controlPlanes, "control-plane"), ...workers];
    const preflights = this.judge(found, network);
    const neighbours = Object.fromEntries(found.map(({ machine }) => [machine.name, nodeAddress(machine)]));
    const member = ({ machine, connection, host, role, pool }: Found): Omit<MemberArgs, "settings"> => ({
      machine,
      connection,
      host,
      pool: pool?.name ?? role,
      maxUnavailable: pool?.maxUnavailable ?? 1,
      drain: { ...DEFAULT_DRAIN, ...args.drain },
      preflight: preflights.of(machine.name),
      network,
      kubeletVersion: pool?.version ?? args.version,
      neighbours,
      runtime: args.runtime ?? DEFAULT_RUNTIME,
      timeouts,
      artifacts: this.artifactsFor(args.version, machine),
    });

    const members = found.map((one) => ({ ...one, args: member(one) }));
    this.api = args.components ? this.climb(members, args.components) : this.runKubeadm(members, timeouts);
    this.registerOutputs({});
  }

  /** kubeadm init, and join. */
  private runKubeadm(members: readonly Known[], timeouts: Timeouts): ClusterAccess {
    const { name, args } = this;
    const controlPlanes = members
      .filter(isControlPlane)
      .map((one) => ({ ...one.args, settings: args.controlPlane ?? {} }));
    const controlPlane = new ControlPlane(
      `${name}-control-plane`,
      { kubernetesVersion: args.version, clusterName: name, members: controlPlanes },
      { parent: this },
    );
    const { cluster } = controlPlane;
    this.addDns(cluster, timeouts);
    for (const { machine, pool, args: common } of members) {
      if (!pool) continue;
      const worker = new Worker(
        machine.name,
        { ...common, ...this.workerArgs(pool, machine), cluster },
        { parent: this },
      );
      args.turns?.announce(machine.name, worker.node);
      this.workers.set(machine.name, worker.node);
    }
    return { controlPlanes: cluster.controlPlanes, caCertHash: cluster.caCertHash, after: [controlPlane.init] };
  }

  /** One component after the other, up to a rung. */
  private climb(members: readonly Known[], components: ComponentsSettings): ClusterAccess | undefined {
    const { name, args } = this;
    const [first] = members.filter(isControlPlane);
    if (!first) throw new Error("controlPlanes: a cluster has one; give it a machine");
    const workers = members.flatMap(({ machine, pool, args: common }) =>
      pool ? [{ ...common, ...this.workerArgs(pool, machine) }] : [],
    );
    const ladder = new Ladder(
      name,
      { clusterName: name, controlPlane: { ...first.args, settings: args.controlPlane ?? {} }, workers, components },
      { parent: this },
    );
    for (const [machine, node] of ladder.nodes) args.turns?.announce(machine, node);
    return ladder.access;
  }

  /** False where it is built by components, and the rung has no API server yet. */
  get hasApi(): boolean {
    return this.api !== undefined;
  }

  /**
   * For a `Kubeconfig`.
   * @throws pulumi.RunError where there is no API server.
   */
  get access(): ClusterAccess {
    if (this.api) return this.api;
    throw new pulumi.RunError(
      `cluster ${this.name}: on this rung there is no API server, and so no kubeconfig; ask hasApi first`,
    );
  }

  /** The administrator's kubeconfig, a secret, read from a control plane when it is asked for; empty where there is no API server. */
  get kubeconfig(): pulumi.Output<string> {
    return this.api ? kubeconfigOf(this.api) : pulumi.secret("");
  }

  private workerArgs(pool: PoolArgs, machine: Machine): Pick<MemberArgs, "settings" | "kubeletArtifacts"> {
    const { version = this.args.version } = pool;
    const older = version === this.args.version ? {} : { kubeletArtifacts: this.artifactsFor(version, machine) };
    return { ...older, settings: settingsOf(pool, machine.name) };
  }

  /** For `dependsOn` of what comes after a worker's join: there once its node is Ready. */
  joined(machine: string): pulumi.Resource {
    const node = this.workers.get(machine);
    if (node) return node;
    throw new pulumi.RunError(
      `${machine} is no worker of this cluster: ${[...this.workers.keys()].join(", ") || "it has none"}`,
    );
  }

  private look(machines: Machine[], role: MachineRole): Found[] {
    return machines.map((machine) => {
      const connection = connectionOf(machine);
      const after = this.args.turns ? { dependsOn: this.args.turns.of(machine.name) } : {};
      const host = new Host(
        `${machine.name}-host`,
        { connection, ...(machine.bootTimeout === undefined ? {} : { bootTimeout: machine.bootTimeout }) },
        { parent: this, ...after, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) },
      );
      return { machine, connection: pinned(connection, host), host, role };
    });
  }

  private judge(found: Found[], network: NetworkSettings): Preflights {
    const { podCidr, serviceCidr, proxyMode } = network;
    const { controlPlane = {}, runtime = DEFAULT_RUNTIME } = this.args;
    const machines = found.map(({ machine, connection, role, pool }) => ({
      name: machine.name,
      connection,
      role,
      swapAllowed: (pool ? settingsOf(pool, machine.name) : controlPlane).kubelet?.failSwapOn === false,
      ...(machine.privateAddress === undefined ? {} : { privateAddress: machine.privateAddress }),
    }));
    const bootstrap = this.args.components ? ({ bootstrap: "components" } as const) : {};
    return new Preflights(
      this.name,
      machines,
      { podCidr, serviceCidr, proxyMode, runtime, ...bootstrap },
      this.args.turns,
      this,
    );
  }

  /** CoreDNS is kubeadm's; the cluster is not done before it answers. */
  private addDns({ origin, caCertHash, controlPlanes, podNetwork }: ClusterHandle, timeouts: Timeouts): void {
    const { metadata, spec } = corednsPatch();
    new Rollout(
      `${this.name}-coredns`,
      {
        controlPlanes,
        caCertHash,
        namespace: metadata.namespace,
        deployment: metadata.name,
        patch: { spec },
        timeout: timeouts.ready,
      },
      { parent: this, dependsOn: [podNetwork], deletedWith: origin },
    );
  }

  /** One set per version and architecture. */
  private artifactsFor(kubernetes: string, machine?: Machine): Artifacts {
    const arch = machine?.arch ?? controllerArch();
    const key = `kubernetes-${kubernetes}-${arch}`;
    const { source = "auto", runtime, extras } = this.args;
    const more = { ...(runtime && runtime !== DEFAULT_RUNTIME ? { runtime } : {}), ...(extras ? { extras } : {}) };
    const made =
      this.artifactSets.get(key) ?? new Artifacts(key, { source, kubernetes, arch, ...more }, { parent: this });
    this.artifactSets.set(key, made);
    return made;
  }
}

/** Said at preview, before anything is made, to whoever uses the component without our configuration. */
function refuseWrongPlan(
  name: string,
  { controlPlanes, pools = [] }: ClusterArgs,
  { podCidr, serviceCidr }: NetworkSettings,
): void {
  const as = (role: MachineRole) => (machine: Machine) => ({ name: machine.name, role });
  const machines = [
    ...controlPlanes.map(as("control-plane")),
    ...pools.flatMap((pool) => pool.machines).map(as("worker")),
  ];
  const problems = planProblems({ machines, podCidr, serviceCidr });
  if (problems.length > 0)
    throw new pulumi.RunError(
      `cluster ${name}:\n${problems.map(({ path, reason }) => `  ${path}: ${reason}`).join("\n")}`,
    );
}

function isControlPlane({ role }: Pick<Found, "role">): boolean {
  return role === "control-plane";
}
