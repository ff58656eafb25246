import type { Runtime } from "../../common/runtime";
import type { Machine } from "../machines/machine";
import type { PoolArgs } from "./pool";
import type { RollingUpdate } from "./rolling-update";
import type { SecuritySettings } from "./security";
import type {
  ComponentsSettings,
  ControlPlaneSettings,
  DrainSettings,
  NetworkSettings,
  BackupTimerArgs,
  RestoreSettings,
  Timeouts,
} from "./settings";

/** Arguments of a `Cluster`. */
export interface ClusterArgs {
  /**
   * Version of Kubernetes, without `v`: `1.36.3`. One of the versions in versions.yaml, or with downloads another patch
   * release of the same minor version.
   */
  version: string;
  /**
   * Source of binaries and images: `official`, `modules` (built from Go modules), or a mirror's http(s) address. `auto`
   * uses the official downloads if they can be reached, and otherwise builds from modules.
   * @default "auto"
   */
  source?: string;
  /**
   * Container runtime of every node. A change on an existing node is refused.
   * @default "containerd"
   */
  runtime?: Runtime;
  /** Machines of the control plane: an odd number, because etcd needs a majority of its members. */
  controlPlanes: Machine[];
  /**
   * Pools of workers.
   * @default none: pods run on the control planes only
   */
  pools?: PoolArgs[];
  controlPlane?: ControlPlaneSettings;
  /** Encryption of Secrets, audit log and Pod Security Standard. Each property has its own default. */
  security?: SecuritySettings;
  /** Each property has its own default. */
  network?: Partial<NetworkSettings>;
  /** Deadlines in seconds; each has its own default. */
  timeouts?: Partial<Timeouts>;
  /** How nodes are emptied; each property has its own default. */
  drain?: Partial<DrainSettings>;
  /**
   * Changes the nodes of a pool a few at a time. Pass the same object to the component that makes the machines.
   * @default none: a change of several nodes changes all of them in parallel
   */
  rollingUpdate?: RollingUpdate;
  /**
   * Seconds for which the cluster must stay healthy in an upgrade before it goes on: after each control plane, after
   * each canary of a pool, and after the last node of each pool.
   * @default 0
   */
  soak?: number;
  /**
   * Whether the names of all resources begin with the cluster's name.
   * @default false for the first cluster of a program, true for further ones
   */
  prefixed?: boolean;
  /** @deprecated Use `rollingUpdate`. */
  turns?: RollingUpdate;
  /**
   * Creates the cluster from a backup when its control planes are lost, or in a new stack (docs/backup.md). A cluster
   * that exists does not change.
   * @default none: a new cluster is empty
   */
  restoreFrom?: RestoreSettings;
  /**
   * Backs up the cluster from its control planes on a schedule (docs/backup.md).
   * @default backups are taken by `npm run backup` only
   */
  backup?: BackupTimerArgs;
  /**
   * Also load the images that examples and tests use.
   * @default false
   */
  extras?: boolean;
  /**
   * Build the cluster one component at a time, without kubeadm (docs/ladder.md).
   * @default kubeadm builds the cluster
   */
  components?: ComponentsSettings;
}
