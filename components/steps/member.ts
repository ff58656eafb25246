import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import type { Runtime } from "../../common/runtime";
import type { ApiServerFiles } from "../../render/api-server-files";
import type { EncryptionProvider } from "../../render/encryption";
import type { KubeletServing } from "../../render/kubelet-serving";
import type { CertificateKeys } from "../../render/kubeadm-types";
import type { OidcIssuer } from "../../render/oidc";
import type { KubeadmNode } from "../../render/kubeadm";
import type { MachineRole } from "../../render/preflight";
import type { ConnectionArgs } from "../../sdk/connection";
import { Host } from "../../sdk/host";
import type { Preflight } from "../../sdk/kubernetes";
import type { Artifacts } from "../../sdk/local";
import { type Machine, connectionOf, deletedWithMachine, nodeAddress, withPinnedHostKeys } from "../machines/machine";
import { type PoolArgs, machineNodeSettings } from "../nodes/pool";
import type { RollingUpdate } from "../nodes/rolling-update";
import type {
  BackupTimerArgs,
  ComponentsSettings,
  ControlPlaneSettings,
  DrainSettings,
  NetworkSettings,
  NodeSettings,
  RestoreSettings,
  Timeouts,
} from "../nodes/settings";

/** What all machines of a cluster have in common, with every default filled in. */
export interface ClusterPlan {
  name: string;
  version: string;
  runtime: Runtime;
  network: NetworkSettings;
  timeouts: Timeouts;
  drain: DrainSettings;
  controlPlane: ControlPlaneSettings;
  /** Files of the API servers, and the flags that name them. */
  apiServer: ApiServerFiles;
  /** Issuers of ID tokens that the API servers accept. */
  oidc?: readonly OidcIssuer[] | undefined;
  /** How kubelets get the certificates that they serve. */
  kubeletServing: KubeletServing;
  /** Algorithm of the keys of certificates; absent with kubeadm's default. */
  certificateKeys?: CertificateKeys | undefined;
  /** How Secrets are encrypted in etcd, if they are. */
  encryption?: { provider: EncryptionProvider; generation: number };
  /** Set for a cluster that is built one component at a time, without kubeadm. */
  components?: ComponentsSettings;
  rollingUpdate?: RollingUpdate;
  restoreFrom?: RestoreSettings;
  /** Set if the control planes back up the cluster on a schedule. */
  backup?: BackupTimerArgs;
  /** Seconds for which the cluster must stay healthy in an upgrade before it goes on. */
  soak: number;
  /** The `Cluster`: parent of all resources that have no closer one. */
  cluster: pulumi.Resource;
  /** The first control plane first, then the others, then the workers. */
  members: readonly [ClusterMember, ...ClusterMember[]];
  /** The check that must have passed before anything is changed on a machine. */
  readonly preflights: { of(machine: string): Preflight };
  artifacts(version: string, machine?: Machine): Artifacts;
  groupsOf(member: ClusterMember): MemberGroups;
  /** Name of a machine's resource, which no other cluster of the program uses. */
  resourceName(name: string): string;
}

export function controlPlaneConnections({ members }: ClusterPlan): ConnectionArgs[] {
  return members.filter(({ isControlPlane }) => isControlPlane).map(({ connection }) => connection);
}

/** The components of the resource tree that contain a machine's resources. */
export interface MemberGroups {
  /** Parent of what makes the machine a node: `Worker`, `ControlPlane` or `LadderNode`. */
  node: pulumi.Resource;
  /** Parent of what prepares the machine: `NodeSetup`. */
  setup: pulumi.Resource;
  /** Parent of the control plane's components, where that is not `node`. */
  controlPlane?: () => pulumi.Resource;
}

/** A machine of a cluster: its role, its settings, and the resources that every step on it uses. */
export class ClusterMember {
  readonly name: string;
  private hostResource: Host | undefined;
  private memberGroups: MemberGroups | undefined;

  constructor(
    readonly plan: ClusterPlan,
    readonly machine: Machine,
    readonly role: MachineRole,
    /** The worker's pool; control planes have none. */
    readonly pool?: PoolArgs,
  ) {
    this.name = machine.name;
  }

  /**
   * The machine's facts. Registered at first use; on a machine that is a node already, once the rolling update
   * reaches it.
   */
  get host(): Host {
    const { machine, plan } = this;
    this.hostResource ??= new Host(
      this.resourceName("host"),
      { connection: connectionOf(machine), ...optional({ bootTimeout: machine.bootTimeout }) },
      {
        parent: plan.cluster,
        ...optional({ dependsOn: plan.rollingUpdate?.turnOf(machine.name) }),
        ...deletedWithMachine(machine),
      },
    );
    return this.hostResource;
  }

  get groups(): MemberGroups {
    this.memberGroups ??= this.plan.groupsOf(this);
    return this.memberGroups;
  }

  get preflight(): Preflight {
    return this.plan.preflights.of(this.name);
  }

  /** How the provider logs in, with the host keys that the first connection met. */
  get connection(): ConnectionArgs {
    return withPinnedHostKeys(connectionOf(this.machine), this.host);
  }

  /** The arguments that every resource on the machine has. */
  get onMachine(): { connection: ConnectionArgs; instance: pulumi.Output<string> } {
    return { connection: this.connection, instance: this.host.instance };
  }

  get address(): pulumi.Input<string> {
    return nodeAddress(this.machine);
  }

  get isControlPlane(): boolean {
    return this.role === "control-plane";
  }

  get isFirst(): boolean {
    return this.plan.members[0] === this;
  }

  get poolName(): string {
    return this.pool?.name ?? this.role;
  }

  get maxUnavailable(): number {
    return this.pool?.maxUnavailable ?? 1;
  }

  get settings(): NodeSettings {
    return this.pool ? machineNodeSettings(this.pool, this.name) : this.plan.controlPlane;
  }

  /** Binaries and images of the cluster's version. */
  get artifacts(): Artifacts {
    return this.plan.artifacts(this.plan.version, this.machine);
  }

  /** Whether the machine is upgraded before the others of its pool. */
  get isCanary(): boolean {
    return this.pool?.canaries?.includes(this.name) === true;
  }

  /** Seconds for which the cluster must stay healthy after an upgrade of this node; 0 where other nodes follow it. */
  get soak(): number {
    const { machines = [], canaries = [] } = this.pool ?? {};
    const isLastOfPool = machines.filter(({ name }) => !canaries.includes(name)).at(-1)?.name === this.name;
    return this.isControlPlane || this.isCanary || isLastOfPool ? this.plan.soak : 0;
  }

  get kubeletVersion(): string {
    const { version, versions = {} } = this.pool ?? {};
    return (this.isCanary ? undefined : (versions[this.name] ?? version)) ?? this.plan.version;
  }

  /** Binaries of the kubelet's version, which may be older than the cluster's. */
  get kubeletArtifacts(): Artifacts {
    return this.plan.artifacts(this.kubeletVersion, this.machine);
  }

  resourceName(suffix: string): string {
    return this.plan.resourceName(`${this.name}-${suffix}`);
  }

  /** Options of a resource on the machine: nothing needs to be removed from a machine that is deleted itself. */
  options(parent: pulumi.Resource, dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions {
    return { parent, dependsOn, ...deletedWithMachine(this.machine) };
  }

  /** The node as kubeadm's configuration describes it. */
  kubeadmNode(): pulumi.Output<KubeadmNode> {
    const { name, host, artifacts, settings, plan } = this;
    return pulumi.all([host.facts, this.address, artifacts.images]).apply(([facts, address, images]) => ({
      name,
      address,
      facts,
      runtime: plan.runtime,
      imagesSideLoaded: images.kind === "archives",
      ...optional({ taints: settings.taints }),
    }));
  }
}
