import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { ConnectionArgs } from "../provider/sdk/connection";
import { Host } from "../provider/sdk/host";
import { Rollout } from "../provider/sdk/kubernetes";
import { Artifacts } from "../provider/sdk/local";
import { corednsPatch } from "../render/coredns";
import type { MachineRole } from "../render/preflight";
import { planProblems } from "../render/preflight-plan";
import { ControlPlane } from "./control-plane";
import { type Machine, connectionOf, controllerArch, pinned } from "./machines/machine";
import type { ClusterHandle, MemberArgs } from "./member";
import { type PoolArgs, settingsOf } from "./pool";
import { Preflights } from "./preflights";
import { type ControlPlaneSettings, DEFAULT_DRAIN, DEFAULT_NETWORK, DEFAULT_TIMEOUTS, type DrainSettings, type NetworkSettings, type Timeouts } from "./settings";
import type { Turns } from "./turns";
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
}

/** A machine that the cluster is told of, and its place. */
interface Found {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  role: MachineRole;
  pool?: PoolArgs;
}

/**
 * A Kubernetes cluster on machines that somebody else made. It knows their addresses and keys, and nothing of Docker, Vagrant or a cloud.
 *
 * @example
 * const cluster = new Cluster("dev", { version: "1.36.3", controlPlanes: [machines[0]], pools: [{ name: "workers", machines: machines.slice(1) }] });
 */
export class Cluster extends pulumi.ComponentResource {
  /** The administrator's kubeconfig, a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly artifacts: Artifacts;
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
    const workers = (args.pools ?? []).flatMap((pool) => this.look(pool.machines, "worker").map((one) => ({ ...one, pool })));
    const found: Found[] = [...this.look(args.controlPlanes, "control-plane"), ...workers];
    const preflights = this.judge(found, network);
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
      runtime: args.runtime ?? DEFAULT_RUNTIME,
      timeouts,
      artifacts: this.artifactsFor(args.version, machine),
    });

    const controlPlane = new ControlPlane(
      `${name}-control-plane`,
      {
        kubernetesVersion: args.version,
        clusterName: name,
        members: found.filter(isControlPlane).map((one) => ({ ...member(one), settings: args.controlPlane ?? {} })),
      },
      { parent: this },
    );
    const { cluster } = controlPlane;
    this.addDns(cluster, timeouts);
    for (const one of workers) {
      const { version = args.version } = one.pool;
      const older = version === args.version ? {} : { kubeletArtifacts: this.artifactsFor(version, one.machine) };
      const settings = settingsOf(one.pool, one.machine.name);
      const worker = new Worker(one.machine.name, { ...member(one), ...older, settings, cluster }, { parent: this });
      args.turns?.announce(one.machine.name, worker.node);
    }
    this.kubeconfig = controlPlane.init.kubeconfig;
    this.registerOutputs({});
  }

  private look(machines: Machine[], role: MachineRole): Found[] {
    return machines.map((machine) => {
      const connection = connectionOf(machine);
      const after = this.args.turns ? { dependsOn: this.args.turns.of(machine.name) } : {};
      const host = new Host(`${machine.name}-host`, { connection }, { parent: this, ...after, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) });
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
    return new Preflights(this.name, machines, { podCidr, serviceCidr, proxyMode, runtime }, this.args.turns, this);
  }

  /** CoreDNS is kubeadm's; the cluster is not done before it answers. */
  private addDns({ init, controlPlanes, podNetwork }: ClusterHandle, timeouts: Timeouts): void {
    const { metadata, spec } = corednsPatch();
    new Rollout(
      `${this.name}-coredns`,
      { controlPlanes, caCertHash: init.caCertHash, namespace: metadata.namespace, deployment: metadata.name, patch: { spec }, timeout: timeouts.ready },
      { parent: this, dependsOn: [podNetwork], deletedWith: init },
    );
  }

  /** One set per version and architecture. */
  private artifactsFor(kubernetes: string, machine?: Machine): Artifacts {
    const arch = machine?.arch ?? controllerArch();
    const key = `kubernetes-${kubernetes}-${arch}`;
    const { source = "auto", runtime, extras } = this.args;
    const more = { ...(runtime && runtime !== DEFAULT_RUNTIME ? { runtime } : {}), ...(extras ? { extras } : {}) };
    const made = this.artifactSets.get(key) ?? new Artifacts(key, { source, kubernetes, arch, ...more }, { parent: this });
    this.artifactSets.set(key, made);
    return made;
  }
}

/** Said at preview, before anything is made, to whoever uses the component without our configuration. */
function refuseWrongPlan(name: string, { controlPlanes, pools = [] }: ClusterArgs, { podCidr, serviceCidr }: NetworkSettings): void {
  const as = (role: MachineRole) => (machine: Machine) => ({ name: machine.name, role });
  const machines = [...controlPlanes.map(as("control-plane")), ...pools.flatMap((pool) => pool.machines).map(as("worker"))];
  const problems = planProblems({ machines, podCidr, serviceCidr });
  if (problems.length > 0) throw new pulumi.RunError(`cluster ${name}:\n${problems.map(({ path, reason }) => `  ${path}: ${reason}`).join("\n")}`);
}

function isControlPlane({ role }: Found): boolean {
  return role === "control-plane";
}
