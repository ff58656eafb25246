import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../provider/sdk/connection";
import { Host } from "../provider/sdk/host";
import { Preflight, Rollout } from "../provider/sdk/kubernetes";
import { Artifacts } from "../provider/sdk/local";
import { corednsPatch } from "../render/coredns";
import type { MachineRole } from "../render/preflight";
import { planProblems } from "../render/preflight-plan";
import { ControlPlane } from "./control-plane";
import { type Machine, connectionOf, controllerArch } from "./machine";
import type { ClusterHandle, MemberArgs } from "./member";
import { type ControlPlaneSettings, DEFAULT_NETWORK, DEFAULT_TIMEOUTS, type NetworkSettings, type NodeSettings, type Timeouts } from "./settings";
import { Worker } from "./worker";

export interface ClusterArgs {
  /** Kubernetes' version without the `v`. */
  version: string;
  /** Where binaries and images come from. Default `auto`: the official downloads where they can be reached, else built from modules. */
  source?: string;
  /** An odd number of machines. */
  controlPlanes: Machine[];
  workers: Machine[];
  controlPlane?: ControlPlaneSettings;
  worker?: NodeSettings & { /** The workers' kubelet. Default: the cluster's version. */ version?: string };
  network?: Partial<NetworkSettings>;
  timeouts?: Partial<Timeouts>;
  /** Images for examples and tests too. */
  extras?: boolean;
}

interface Found {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  role: MachineRole;
}

/**
 * A Kubernetes cluster on machines that somebody else made. It knows their addresses and keys, and nothing of Docker, Vagrant or a cloud.
 *
 * @example
 * const cluster = new Cluster("dev", { version: "1.36.3", controlPlanes: [machines[0]], workers: machines.slice(1) });
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
    const found = [...this.look(args.controlPlanes, "control-plane"), ...this.look(args.workers, "worker")];
    const preflight = this.judge(found, network);
    const member = ({ machine, connection, host }: Found): Omit<MemberArgs, "settings"> => ({
      machine,
      connection,
      host,
      preflight,
      network,
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
    for (const one of found.filter((candidate) => !isControlPlane(candidate))) {
      const { version = args.version, ...settings } = args.worker ?? {};
      const older = version === args.version ? {} : { kubeletArtifacts: this.artifactsFor(version, one.machine) };
      new Worker(one.machine.name, { ...member(one), ...older, settings, cluster }, { parent: this });
    }
    this.kubeconfig = controlPlane.init.kubeconfig;
    this.registerOutputs({});
  }

  private look(machines: Machine[], role: MachineRole): Found[] {
    return machines.map((machine) => {
      const connection = connectionOf(machine);
      const host = new Host(`${machine.name}-host`, { connection }, { parent: this, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) });
      // From here on the pinned key is what the first connection met.
      return { machine, connection: { ...connection, hostKey: host.hostKey }, host, role };
    });
  }

  private judge(found: Found[], network: NetworkSettings): Preflight {
    const { podCidr, serviceCidr, proxyMode } = network;
    const { controlPlane, worker } = this.args;
    const swapAllowed: MachineRole[] = [
      ...(controlPlane?.kubelet?.failSwapOn === false ? (["control-plane"] as const) : []),
      ...(worker?.kubelet?.failSwapOn === false ? (["worker"] as const) : []),
    ];
    const machines = found.map(({ machine, connection, role }) => ({
      name: machine.name,
      connection,
      role,
      ...(machine.privateAddress === undefined ? {} : { privateAddress: machine.privateAddress }),
    }));
    return new Preflight(`${this.name}-preflight`, { machines, podCidr, serviceCidr, proxyMode, swapAllowed }, { parent: this });
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
    const { source = "auto", extras } = this.args;
    const made = this.artifactSets.get(key) ?? new Artifacts(key, { source, kubernetes, arch, ...(extras ? { extras } : {}) }, { parent: this });
    this.artifactSets.set(key, made);
    return made;
  }
}

/** Said at preview, before anything is made, to whoever uses the component without our configuration. */
function refuseWrongPlan(name: string, { controlPlanes, workers }: ClusterArgs, { podCidr, serviceCidr }: NetworkSettings): void {
  const roles = [...controlPlanes.map((machine) => ({ name: machine.name, role: "control-plane" as const })), ...workers.map((machine) => ({ name: machine.name, role: "worker" as const }))];
  const problems = planProblems({ machines: roles, podCidr, serviceCidr });
  if (problems.length > 0) throw new pulumi.RunError(`cluster ${name}:\n${problems.map(({ path, reason }) => `  ${path}: ${reason}`).join("\n")}`);
}

function isControlPlane({ role }: Found): boolean {
  return role === "control-plane";
}
