import { z } from "zod";
import { DEFAULT_RUNTIME, RUNTIMES } from "../../common/runtime";
import { DEFAULT_TRANSFER, TRANSFERS } from "../../common/transfer";
import { drainSchema } from "../../contracts/drain";
import { RUNGS } from "../../render/rung";
import {
  annotations,
  flags,
  kubeletFlags,
  labels,
  optionalFields,
  poolNameProblem,
  source,
  strict,
  taint,
  version,
} from "../fields/fields";
import { complaint } from "../fields/problems";
import { awsKind } from "../machines/clouds/aws";
import { digitaloceanKind } from "../machines/clouds/digitalocean";
import { hetznerKind } from "../machines/clouds/hetzner";
import { dockerKind } from "../machines/docker";
import { KIND_NAMES } from "./machine-kinds";
import { poolHost, sshSection } from "../machines/ssh";
import { vagrantKind } from "../machines/vagrant";
import { commandsFields } from "../nodes/commands";
import { securityFields } from "../nodes/security";
import { endpointFields, networkFields, timeoutFields } from "../nodes/settings";
import { admissionPlugin, staticToken } from "./authentication";
import { backupSection } from "./backup";
import { containerdSettings } from "./containerd";
import { kubeletSettings } from "./kubelet";

const kubernetes = strict({
  /**
   * Version of Kubernetes. On an existing cluster, another patch version or the next minor version upgrades all nodes
   * in place (docs/upgrade.md). With downloads, official or from a mirror, any patch release of a minor version in
   * versions.yaml can be installed; built from modules, only the versions in versions.yaml.
   */
  version: version.default("1.36.3"),
  /**
   * Versions on which pools stay while an upgrade is paused, by pool. The name of a worker holds that worker, whatever
   * its pool's version is. `upgrade --pause-after` sets them, and `upgrade --resume` removes them. The pool's own
   * `version` has priority over that of the pool here.
   */
  hold: z.record(z.string(), version).default({}),
  /**
   * Workers that change before all others, one after the other, and get the cluster's version also where their pool
   * stays on another one. `upgrade --canary` sets it, and `upgrade --resume` removes it.
   * @example
   * config:
   *   kubewright:kubernetes: { version: 1.36.3, hold: { workers: 1.35.4 }, canary: [worker-1], soak: 600 }
   */
  canary: z.array(z.string().min(1)).default([]),
  /**
   * Your `canary` while an upgrade uses that property itself, for a pause or for additional machines. `upgrade` sets
   * it, and returns it to `canary` at the end.
   */
  canaryAfter: z.array(z.string().min(1)).default([]),
  /**
   * Versions from and to which an upgrade leads while it is paused, or has several steps: several minor versions, or
   * additional machines. `upgrade` sets it, and removes it at the end. `upgrade --resume` continues to the version
   * `to`. While it is set, pools and workers that are removed from the configuration are ignored in `hold`, `canary`,
   * `canaryAfter` and `additional`.
   */
  upgrading: strict({
    /** Version before the upgrade. */
    before: version,
    /** Version to which the upgrade leads. */
    to: version,
  }).optional(),
  /**
   * Number of additional machines that pools have while they are upgraded, by pool. `upgrade` sets it for pools with
   * `surge`, and removes it at the end.
   */
  additional: z.record(z.string(), z.int().min(0)).default({}),
  /**
   * Seconds for which the cluster must stay healthy in an upgrade before it goes on: after each control plane, after
   * each canary, and after each pool. Pools then change one after the other.
   */
  soak: z.int().min(0).max(86_400).default(0),
});

const { backend, ...network } = networkFields;
const networkSection = strict({
  ...network,
  /** Settings of flannel. */
  flannel: strict({
    /**
     * Backend of flannel: `host-gw` routes between nodes on one network segment, `vxlan` also works where routers are
     * between them.
     */
    backend,
  }).prefault({}),
});

const kindName = z.enum(KIND_NAMES);

/**
 * Settings of all machines of a kind. Required ones are checked only if the cluster has machines of the kind
 * (check-kinds.ts).
 */
function kindSection<Shared extends z.ZodRawShape, Each extends z.ZodRawShape>(kind: { shared: Shared; each: Each }) {
  return strict(optionalFields({ ...kind.shared, ...kind.each })).optional();
}

/** Settings of the machines of one pool. */
function poolKindSection<Each extends z.ZodRawShape>(kind: { each: Each }) {
  return strict(optionalFields(kind.each)).optional();
}

const machines = strict({
  /** Kind of all machines whose pool does not set another one. */
  kind: kindName.default(KIND_NAMES[0] ?? ""),
  /** Existing machines. Control planes among them are used if the control plane's kind is `ssh`. */
  ssh: sshSection.optional(),
  /** Docker containers on this computer, for development and tests. */
  docker: kindSection(dockerKind),
  /** Machines that Vagrant creates. */
  vagrant: kindSection(vagrantKind),
  /** Servers of Hetzner Cloud. */
  hetzner: kindSection(hetznerKind),
  /** Droplets of DigitalOcean. */
  digitalocean: kindSection(digitaloceanKind),
  /** EC2 instances of AWS. */
  aws: kindSection(awsKind),
});

const poolMachines = strict({
  /**
   * Kind of these machines.
   * @default the value of machines.kind
   */
  kind: kindName.optional(),
  /** Settings of Docker containers. */
  docker: poolKindSection(dockerKind),
  /** Settings of Vagrant's machines. */
  vagrant: poolKindSection(vagrantKind),
  /** Settings of servers of Hetzner Cloud. */
  hetzner: poolKindSection(hetznerKind),
  /** Settings of droplets of DigitalOcean. */
  digitalocean: poolKindSection(digitaloceanKind),
  /** Settings of EC2 instances of AWS. */
  aws: poolKindSection(awsKind),
});

const nodeSettings = {
  /** Labels of the nodes. */
  labels: labels.default({}),
  /** Annotations of the nodes. */
  annotations: annotations.default({}),
  /**
   * Fields of the kubelet's configuration (KubeletConfiguration,
   * https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/).
   * The fields below are checked; others are passed on as they are. Fields that Kubewright sets itself are refused.
   */
  kubelet: kubeletSettings.default({}),
  /**
   * Settings of containerd's configuration file, as nested tables
   * (https://github.com/containerd/containerd/blob/main/docs/cri/config.md). Settings that Kubewright sets itself are
   * refused.
   * @example
   * config:
   *   kubewright:workers:
   *     containerd: { plugins: { io.containerd.cri.v1.images: { max_concurrent_downloads: 5 } } }
   */
  containerd: containerdSettings.default({}),
  /** Settings of these machines, merged over those in `machines`. */
  machines: poolMachines.optional(),
};

const controlPlane = strict({
  ...nodeSettings,
  /**
   * Number of control planes: an odd one, because etcd needs a majority of its members.
   * @default 1, or for machines of kind ssh the number of hosts with the role control-plane
   */
  count: z.int().min(1).optional(),
  /**
   * With `bootstrap: components`: whether the kubelet runs the components as static pods, or systemd runs their
   * binaries.
   */
  runAs: z.enum(["static-pods", "systemd"]).default("static-pods"),
  /**
   * How clients outside of the cluster reach the API server. The nodes do not use it: each node has a load balancer of
   * its own, which leads to every control plane that is ready.
   * @example
   * config:
   *   kubewright:controlPlane: { count: 3, endpoint: { kind: external, address: api.example.com:6443 } }
   */
  endpoint: strict(endpointFields).prefault({}),
  /**
   * Taints of the control planes. An empty list lets pods run on them.
   * @default node-role.kubernetes.io/control-plane:NoSchedule
   */
  taints: z.array(taint).optional(),
  /**
   * `previous`: the control planes behave as those of the minor version before (`--emulated-version`), so that an
   * upgrade to the next minor version can be undone (docs/upgrade.md). It can be set only together with a newer
   * version.
   */
  emulate: z.enum(["previous"]).optional(),
  /** Command-line flags, without leading dashes. They take precedence over Kubewright's own. */
  extraArgs: strict({
    /** Flags of kube-apiserver. */
    apiServer: flags.default({}),
    /** Flags of kube-controller-manager. */
    controllerManager: flags.default({}),
    /** Flags of kube-scheduler. */
    scheduler: flags.default({}),
    /** Flags of etcd. */
    etcd: flags.default({}),
    /**
     * Flags of the control planes' kubelets. Prefer `kubelet`, if the setting is a field of the kubelet's
     * configuration.
     */
    kubelet: kubeletFlags.default({}),
  }).prefault({}),
});

const nodeOverrides = strict({
  /** Labels of the node, merged over those of the pool. */
  labels: labels.default({}),
  /** Annotations of the node, merged over those of the pool. */
  annotations: annotations.default({}),
  /** Fields of the kubelet's configuration, merged over those of the pool. */
  kubelet: kubeletSettings.default({}),
  /** Taints of the node besides those of the pool. A taint replaces the pool's taint with the same key and effect. */
  taints: z.array(taint).default([]),
});

const pool = strict({
  ...nodeSettings,
  /**
   * Number of machines that are created for the pool. Listed `hosts` are not included.
   * @default 2 for workers, 1 for other pools without hosts; for machines of kind ssh the number of hosts
   */
  count: z.int().min(0).optional(),
  /**
   * Numbers that no machine gets: with `count: 2` and `skip: [2]` the workers are worker-1 and worker-3. `npm run
   * node:replace -- --surge` writes it.
   */
  skip: z.array(z.int().min(1)).default([]),
  /** Existing machines that join the pool. */
  hosts: z.array(poolHost).default([]),
  /** Settings of single nodes, by machine name. */
  nodes: z.record(z.string(), nodeOverrides).default({}),
  /**
   * Version of the pool's kubelets: at most three minor versions older than the cluster's.
   * @default the value of kubernetes.version
   */
  version: version.optional(),
  /**
   * How another version reaches the nodes of the pool: `inPlace` drains a node and changes its kubelet, `replace`
   * deletes the node's machine and creates a new one. It applies from the run after the one that sets it, so set it
   * before the upgrade.
   */
  upgrade: z.enum(["inPlace", "replace"]).default("inPlace"),
  /**
   * Number of nodes that a change may make unavailable at the same time. Nodes that are down or cordoned already
   * count.
   */
  maxUnavailable: z.int().min(1).default(1),
  /**
   * Number of additional machines that `upgrade` creates before it changes the nodes of the pool, and removes
   * afterwards, so that at least `count` nodes are available (docs/upgrade.md). It must not be smaller than
   * `maxUnavailable`. `up` and `pulumi up` upgrade a pool without additional machines.
   */
  surge: z.int().min(0).default(0),
  /** Taints of the nodes. */
  taints: z.array(taint).default([]),
  /** Command-line flags, without leading dashes. */
  extraArgs: strict({
    /** Flags of the kubelet. Prefer `kubelet`, if the setting is a field of the kubelet's configuration. */
    kubelet: kubeletFlags.default({}),
  }).prefault({}),
  /**
   * Commands of your own on every machine of the pool (docs/nodes.md). They need the package @pulumi/command.
   * @example
   * config:
   *   kubewright:workers:
   *     commands:
   *       afterJoin: [{ name: swap, script: sudo swapon --show }]
   */
  commands: strict(commandsFields).prefault({}),
});

const pools = z.record(z.string(), pool).superRefine((value, context) => {
  for (const name of Object.keys(value)) {
    const message = poolNameProblem(name);
    if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
  }
});

const drain = strict(drainSchema.omit({ force: true }).shape);

const timeouts = strict({
  ...timeoutFields,
  /** Factor by which every deadline is multiplied, those above included: for slow machines and networks. */
  patience: z
    .int()
    .min(1, complaint("is below 1, and deadlines cannot be shortened", "use 1 or more"))
    .max(100, complaint("is above 100, with which a failure would be found too late", "use 100 or less"))
    .default(1),
});

const recovery = strict({
  /**
   * Names of machines that will not come back, or `all`. Their resources are deleted without removing anything from
   * the machines.
   */
  abandoned: z.array(z.string().min(1)).optional(),
  /** Machine-ids of machines that are being replaced. The commands set it for one run. */
  rebuilt: z.array(z.string().min(1)).optional(),
  /** Fingerprints (`SHA256:...`) of changed host keys that you have verified, by machine name. */
  acceptHostKeys: z.record(z.string(), z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "must be SHA256:...")).optional(),
});

const auth = strict({
  /** With `bootstrap: components`: users that log in with a token. The API server reads them from a file. */
  staticTokens: z.array(staticToken).default([]),
});

const admission = strict({
  /** With `bootstrap: components`: admission plugins that are disabled, for example `ServiceAccount`. */
  disable: z.array(admissionPlugin).default([]),
});

/** The stack's configuration as the user writes it, with its defaults. docs/configuration.md is generated from it. */
export const clusterSchema = strict({
  /**
   * Source of binaries and images: `official`, `modules` (built from Go modules), or a mirror's http(s) address. `auto`
   * uses the official downloads if they can be reached, and otherwise builds from modules.
   */
  source: source.default("auto"),
  /**
   * How binaries reach the machines: `push` copies them from the computer that runs Pulumi, `pull` lets each machine
   * download them from the source, and `auto` lets it download them if it reaches the source and is not in a network of
   * this computer, and otherwise copies them. A change changes nothing on existing machines (docs/machines.md).
   */
  transfer: z.enum(TRANSFERS).default(DEFAULT_TRANSFER),
  /** Version of Kubernetes. */
  kubernetes: kubernetes.prefault({}),
  /** Container runtime of every node. On an existing node a change is refused: replace the node. */
  runtime: z.enum(RUNTIMES).default(DEFAULT_RUNTIME),
  /** How the cluster is built: by kubeadm, or one component at a time (docs/ladder.md). */
  bootstrap: z.enum(["kubeadm", "components"]).default("kubeadm"),
  /**
   * With `bootstrap: components`: the rung up to which the cluster is built.
   * @default dns, the highest one
   */
  rung: z.enum(RUNGS).optional(),
  /** Authentication at the API server. */
  auth: auth.prefault({}),
  /** Admission control of the API server. */
  admission: admission.prefault({}),
  /** What protects the cluster beyond its defaults (docs/hardening.md). */
  security: strict(securityFields).prefault({}),
  /** Networks of pods and services. */
  network: networkSection.prefault({}),
  /** The machines: their kind, and the settings of each kind (docs/machines.md). */
  machines: machines.prefault({}),
  /** The control planes. */
  controlPlane: controlPlane.prefault({}),
  /**
   * The pool of workers that every cluster has. Its machines are named `worker-1`, `worker-2` and so on.
   * @example
   * config:
   *   kubewright:workers:
   *     count: 3
   *     labels: { tier: web }
   *     nodes: { worker-3: { taints: [{ key: dedicated, value: batch, effect: NoSchedule }] } }
   */
  workers: pool.prefault({}),
  /** Further pools of workers, by name. The machines of the pool `gpu` are named `gpu-1`, `gpu-2` and so on. */
  pools: pools.default({}),
  /**
   * How nodes are emptied before they leave or are replaced. The defaults lose no data, as those of `kubectl drain`.
   */
  drain: drain.prefault({}),
  /** Deadlines in seconds. */
  timeouts: timeouts.prefault({}),
  /** Machines that were lost or rebuilt, or have a new host key. The provider reads this section. */
  recovery: recovery.optional(),
  /** Backups of the cluster's state (docs/backup.md). */
  backup: backupSection.optional(),
  /** Also load the images that only examples and tests use. Always true with `bootstrap: components`. */
  extras: z.boolean().default(false),
});

export type WrittenConfig = z.output<typeof clusterSchema>;
export type WrittenPool = z.output<typeof pool>;
export type NodeOverrides = z.output<typeof nodeOverrides>;
