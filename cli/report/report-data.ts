import type { BackupStatus } from "../backup/backup-status";
import type { RunTimeline } from "../engine/run-timeline";
import type { CertificateStatus } from "../nodes/certificate-status";
import type { NodeStatus } from "../nodes/cluster-status";
import type { Drift } from "../preview/drift";

/** The cluster was not asked for a result, or did not answer. */
export interface NotAsked {
  /** Why, in a few words. */
  notAsked: string;
  /** The error of a cluster that did not answer. */
  error?: string;
}

/** A result of the cluster, or why there is none. */
export type Asked<T> = { value: T } | NotAsked;

export interface MapMachine {
  name: string;
  /** `control-plane`, or the name of the pool. */
  pool: string;
  isControlPlane: boolean;
  /** Address at which Kubewright reaches the machine. */
  address: string;
  /** `Debian 12, 4 CPUs, 8 GiB` */
  hardware: string;
}

/** What the state knows about a cluster. */
export interface ClusterMap {
  /** Control planes first, then the pools, each by number. */
  machines: readonly MapMachine[];
  /** Whether each node reaches the API servers through its own balancer. */
  hasBalancers: boolean;
  /** Address for clients outside of the cluster, if the user set one. */
  externalEndpoint?: string;
  /** Absent if the configuration cannot be read. */
  network?: { plugin: string; podCidr: string; serviceCidr: string };
}

/** A step that the run had to wait for. */
export interface CriticalStep {
  label: string;
  machine: string;
  /** Milliseconds since the start of the run. */
  start: number;
  end: number;
  /** Milliseconds between the end of the step before and the start of this one. */
  wait: number;
}

export interface RunReport {
  timeline: RunTimeline;
  criticalPath: readonly CriticalStep[];
}

export interface Health {
  healthy: boolean;
  problems: readonly string[];
  warnings: readonly string[];
  /** Members of etcd; absent if etcd was not read. */
  etcd?: string;
}

/** Everything that the report shows. */
export interface ClusterReport {
  stack: string;
  /** When the report was written, ISO 8601. */
  time: string;
  /** Version of Kubernetes; empty if it is not known. */
  version: string;
  map: ClusterMap;
  /** Absent if no run that changed something was recorded on this computer. */
  run?: RunReport;
  health: Asked<Health>;
  nodes: Asked<readonly NodeStatus[]>;
  certificates: Asked<readonly CertificateStatus[]>;
  /** `undefined` if the configuration has no backups. */
  backups: Asked<BackupStatus | undefined>;
  drift: Asked<readonly Drift[]>;
}

/** Returns the result, or undefined if the cluster was not asked for it. */
export function answerOf<T>(asked: Asked<T>): T | undefined {
  return "value" in asked ? asked.value : undefined;
}
