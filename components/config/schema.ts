import { z } from "zod";
import { DEFAULT_RUNTIME, RUNTIMES } from "../../common/runtime";
import {
  annotations,
  cidr,
  dnsDomain,
  endpoint,
  flags,
  kubeletFlags,
  labels,
  poolNameProblem,
  seconds,
  source,
  strict,
  taint,
  unrequired,
  version,
} from "../fields/fields";
import type { AnyKind } from "../machines/kind";
import { KINDS, KIND_NAMES } from "../machines/kinds";
import { poolHost, sshSection } from "../machines/ssh";
import { RUNGS } from "../../render/rung";
import { admissionPlugin, staticToken } from "./authentication";
import { kubeletSettings } from "./kubelet";

const kubernetes = strict({ version: version.default("1.36.3") });

const network = strict({
  podCidr: cidr.default("10.244.0.0/16"),
  serviceCidr: cidr.default("10.10.0.0/16"),
  /** Prefix length of each node's part of podCidr; Kubernetes' default. */
  nodeMaskSize: z.int().min(16).max(28).default(24),
  dnsDomain: dnsDomain.default("cluster.local"),
  /** `bridge` is for one machine that is built by components. */
  plugin: z.enum(["flannel", "bridge"]).default("flannel"),
  flannel: strict({ backend: z.enum(["host-gw", "vxlan"]).default("host-gw") }).prefault({}),
  proxyMode: z.enum(["nftables", "iptables"]).default("nftables"),
});

const kindName = z.enum(KIND_NAMES);

/** Sections of the kinds that make machines; what one requires is judged where its machines are wanted (check-kinds.ts). */
function sections(fieldsOf: (kind: AnyKind) => z.ZodRawShape): object {
  return Object.fromEntries(
    KINDS.filter(({ makes }) => makes).map((kind) => [kind.name, strict(unrequired(fieldsOf(kind))).optional()]),
  );
}

/** What every machine has that its pool says nothing else of. */
const machines = strict({
  kind: kindName.default(KIND_NAMES[0] ?? ""),
  /** Machines that the person has; control planes among them are for where the control plane's kind is ssh. */
  ssh: sshSection.optional(),
  ...sections(({ shared, each }) => ({ ...shared, ...each })),
});

/** Machines of this pool, where they are others than `machines` says. */
const ownMachines = strict({ kind: kindName.optional(), ...sections(({ each }) => each) });

const nodeSettings = {
  labels: labels.default({}),
  annotations: annotations.default({}),
  kubelet: kubeletSettings.default({}),
  machines: ownMachines.optional(),
};

const controlPlane = strict({
  ...nodeSettings,
  /** Default 1; for machines of kind ssh the number of hosts with that role. */
  count: z.int().min(1).optional(),
  /** With `bootstrap: components`: by the kubelet from manifests, or by systemd from binaries. */
  runAs: z.enum(["static-pods", "systemd"]).default("static-pods"),
  /** What everybody calls the API server by; absent: the first control plane's address and 6443. */
  endpoint: endpoint.optional(),
  /** Absent: kubeadm's own, `node-role.kubernetes.io/control-plane:NoSchedule`. */
  taints: z.array(taint).optional(),
  extraArgs: strict({
    apiServer: flags.default({}),
    controllerManager: flags.default({}),
    scheduler: flags.default({}),
    etcd: flags.default({}),
    kubelet: kubeletFlags.default({}),
  }).prefault({}),
});

/** What one machine of a pool has beside, or instead of, what its pool says. */
const nodeOverrides = strict({
  labels: labels.default({}),
  annotations: annotations.default({}),
  kubelet: kubeletSettings.default({}),
  /** One with the same key and effect as a pool's takes its place. */
  taints: z.array(taint).default([]),
});

const pool = strict({
  ...nodeSettings,
  /** Machines that are made here. Default 2 for workers, 1 for a pool without hosts; for machines of kind ssh the number of hosts. */
  count: z.int().min(0).optional(),
  /** Numbers that no machine has: `skip: [2]` with `count: 2` is worker-1 and worker-3. `node:replace --surge` writes it. */
  skip: z.array(z.int().min(1)).default([]),
  /** Machines that the person has already, beside those that are made here. */
  hosts: z.array(poolHost).default([]),
  /** By machine name. */
  nodes: z.record(z.string(), nodeOverrides).default({}),
  /** The pool's kubelet; absent: kubernetes.version. At most three minors older. */
  version: version.optional(),
  /** Nodes that a change may take away at a time, those that are down or cordoned already included. */
  maxUnavailable: z.int().min(1).default(1),
  taints: z.array(taint).default([]),
  extraArgs: strict({ kubelet: kubeletFlags.default({}) }).prefault({}),
});

/** Machines are `<pool>-1` and so on, as those of `workers` are `worker-1`. */
const pools = z.record(z.string(), pool).superRefine((given, context) => {
  for (const name of Object.keys(given)) {
    const message = poolNameProblem(name);
    if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
  }
});

/** As `kubectl drain` means it: nothing is lost unless the person has said so. */
const drain = strict({
  /** Seconds until a drain is given up, and the node made schedulable again. */
  timeout: seconds.default(300),
  /** Pods with emptyDir volumes, whose content goes with them. */
  localData: z.enum(["refuse", "delete"]).default("refuse"),
  /** Pods that nothing makes again. */
  unmanaged: z.enum(["refuse", "delete"]).default("refuse"),
  /** Pods of a node that is silent: forced off once its machine is proved gone, at once, or never. */
  onUnreachable: z.enum(["prove", "force", "fail"]).default("prove"),
});

/** All in seconds. */
const timeouts = strict({
  /** `kubeadm init`. */
  init: seconds.default(300),
  /** `kubeadm join`. */
  join: seconds.default(300),
  /** Until a node that joined is Ready, and CoreDNS Available. */
  ready: seconds.default(300),
  /** Every deadline is that many times as long, those above too: for slow machines and networks. The provider reads it itself. */
  patience: z
    .int()
    .min(1, "deadlines are not made shorter")
    .max(100, "more than 100 is no deadline any more")
    .default(1),
});

/** What the provider is told about machines that were lost, rebuilt or given a new host key. It reads this section itself. */
const recovery = strict({
  /** Names of machines that will not come back, or `all`: what is on them is left there when it is deleted. */
  abandoned: z.array(z.string().min(1)).optional(),
  /** Machine-ids of machines that are being replaced; set by the commands, for one run. */
  rebuilt: z.array(z.string().min(1)).optional(),
  /** By machine name: the fingerprint (`SHA256:...`) of a changed host key that you verified. */
  acceptHostKeys: z.record(z.string(), z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "must be SHA256:...")).optional(),
});

/** Configuration as a person writes it; every default is here. */
export const clusterSchema = strict({
  source: source.default("auto"),
  kubernetes: kubernetes.prefault({}),
  /** What runs containers on every node. A node that is there keeps its own. */
  runtime: z.enum(RUNTIMES).default(DEFAULT_RUNTIME),
  /** kubeadm, or one component after the other. */
  bootstrap: z.enum(["kubeadm", "components"]).default("kubeadm"),
  /** With `bootstrap: components`: how far up. Default: everything. */
  rung: z.enum(RUNGS).optional(),
  auth: strict({ staticTokens: z.array(staticToken).default([]) }).prefault({}),
  admission: strict({ disable: z.array(admissionPlugin).default([]) }).prefault({}),
  network: network.prefault({}),
  machines: machines.prefault({}),
  controlPlane: controlPlane.prefault({}),
  /** The pool that every cluster has; further ones are in `pools`, by name. */
  workers: pool.prefault({}),
  pools: pools.default({}),
  drain: drain.prefault({}),
  timeouts: timeouts.prefault({}),
  recovery: recovery.optional(),
  /** Also images that only examples and tests use. */
  extras: z.boolean().default(false),
});

export type WrittenConfig = z.output<typeof clusterSchema>;
export type WrittenPool = z.output<typeof pool>;
export type NodeOverrides = z.output<typeof nodeOverrides>;
