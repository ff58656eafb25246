import { z } from "zod";
import {
  annotations, cidr, dnsDomain, endpoint, flags, host, ipv4, kubeletFlags, labels, nodeName, port, seconds, source, strict, taint, version,
} from "./fields";
import { kubeletSettings } from "./kubelet";
import { complaint } from "./problems";

const kubernetes = strict({ version: version.default("1.36.3") });

const network = strict({
  podCidr: cidr.default("10.244.0.0/16"),
  serviceCidr: cidr.default("10.10.0.0/16"),
  /** Prefix length of each node's part of podCidr; Kubernetes' default. */
  nodeMaskSize: z.int().min(16).max(28).default(24),
  dnsDomain: dnsDomain.default("cluster.local"),
  flannel: strict({ backend: z.enum(["host-gw", "vxlan"]).default("host-gw") }).prefault({}),
  proxyMode: z.enum(["nftables", "iptables"]).default("nftables"),
});

const dockerMachines = strict({
  kind: z.literal("docker"),
  docker: strict({
    /** The machines' network; absent: a free one is chosen. */
    subnet: cidr.optional(),
    /** Per machine; absent: not limited. */
    cpus: z.number().positive().optional(),
    memoryMiB: z.int().min(512).optional(),
  }).prefault({}),
});

const sshHost = strict({
  name: nodeName,
  host,
  user: z.string().min(1).default("root"),
  port: port.default(22),
  /** On this computer. */
  privateKeyPath: z.string().min(1),
  /** OpenSSH's form, `ssh-ed25519 AAAA...`; absent: pinned at the first connection. */
  hostKey: z.string().regex(/^(ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+/, {
    error: complaint("is not a public key", "write it as in known_hosts, like ssh-ed25519 AAAA..."),
  }).optional(),
  /** Where the other nodes reach it; absent: at `host`. */
  privateAddress: ipv4.optional(),
  role: z.enum(["control-plane", "worker"]),
});

const sshMachines = strict({ kind: z.literal("ssh"), ssh: strict({ hosts: z.array(sshHost).min(1) }) });

const machines = z.preprocess(
  (given) => (typeof given === "object" && given !== null && !("kind" in given) ? { kind: "docker", ...given } : given),
  z.discriminatedUnion("kind", [dockerMachines, sshMachines], {
    error: (issue) => (issue.code === "invalid_union" ? complaint("is not a known kind of machine", "use docker or ssh") : undefined),
  }),
);

const nodeSettings = {
  labels: labels.default({}),
  annotations: annotations.default({}),
  kubelet: kubeletSettings.default({}),
};

const controlPlane = strict({
  ...nodeSettings,
  /** Default 1; with `machines.kind: ssh` the number of hosts with that role. */
  count: z.int().min(1).optional(),
  /** What everybody calls the API server by; absent: the first control plane's address and 6443. */
  endpoint: endpoint.optional(),
  /** Absent: kubeadm's own, `node-role.kubernetes.io/control-plane:NoSchedule`. */
  taints: z.array(taint).optional(),
  extraArgs: strict({
    apiServer: flags.default({}), controllerManager: flags.default({}), scheduler: flags.default({}), etcd: flags.default({}),
    kubelet: kubeletFlags.default({}),
  }).prefault({}),
});

const workers = strict({
  ...nodeSettings,
  /** Default 2; with `machines.kind: ssh` the number of hosts with that role. 0 is a cluster of control planes only. */
  count: z.int().min(0).optional(),
  /** The workers' kubelet; absent: kubernetes.version. At most three minors older. */
  version: version.optional(),
  taints: z.array(taint).default([]),
  extraArgs: strict({ kubelet: kubeletFlags.default({}) }).prefault({}),
});

/** All in seconds. */
const timeouts = strict({
  /** Until a new machine answers ssh. */
  machine: seconds.default(120),
  /** `kubeadm init`. */
  init: seconds.default(300),
  /** `kubeadm join`. */
  join: seconds.default(300),
  /** Until a node that joined is Ready, and CoreDNS Available. */
  ready: seconds.default(300),
  /** Until a node is drained. */
  drain: seconds.default(300),
  /** One call of the Kubernetes API, with its retries. */
  api: seconds.default(60),
});

/** Configuration as a person writes it; every default is here. */
export const clusterSchema = strict({
  source: source.default("auto"),
  kubernetes: kubernetes.prefault({}),
  network: network.prefault({}),
  machines: machines.prefault({ kind: "docker" }),
  controlPlane: controlPlane.prefault({}),
  workers: workers.prefault({}),
  timeouts: timeouts.prefault({}),
  /** Also images that only examples and tests use. */
  extras: z.boolean().default(false),
});

export type WrittenConfig = z.output<typeof clusterSchema>;
export type SshHost = z.output<typeof sshHost>;
