import type { RunSpan } from "../../cli/engine/run-timeline";
import type { CertificateStatus } from "../../cli/nodes/certificate-status";
import type { NodeStatus } from "../../cli/nodes/cluster-status";
import { criticalPath } from "../../cli/report/critical-path";
import type { ClusterReport, MapMachine } from "../../cli/report/report-data";
import { byNumber } from "../../provider/preview/step";

/** Steps of a machine in seconds: name, start, length. */
const CONTROL_PLANE = [
  ["Machine", 3.8, 3.2],
  ["Host", 7.1, 0.2],
  ["Binaries", 7.6, 5.1],
  ["Packages", 7.6, 0.2],
  ["Unit containerd", 12.7, 0.8],
  ["Unit kubelet", 12.7, 0.6],
  ["Images", 13.5, 3],
] as const;
const WORKER = [...CONTROL_PLANE, ["Join", 25.4, 2.1], ["Node", 28.6, 3]] as const;

/** A report with made-up results: `small` has 1 control plane and 1 worker, `large` 3 and 20, some of them unwell. */
export function reportOf(size: "small" | "large"): ClusterReport {
  const isLarge = size === "large";
  const machines = machinesOf(isLarge ? 3 : 1, isLarge ? { workers: 16, gpu: 4 } : { workers: 1 });
  const nodes = machines.map((machine, index) => nodeOf(machine, index, isLarge));
  return {
    stack: "dev",
    time: "2026-11-26T18:40:12.000Z",
    version: "1.36.3",
    map: {
      machines,
      hasBalancers: true,
      network: { plugin: "flannel (host-gw)", podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
    },
    run: runOf(machines, isLarge),
    health: { value: isLarge ? UNHEALTHY : { healthy: true, problems: [], warnings: [], etcd: "1 member, 1 healthy" } },
    nodes: { value: nodes },
    certificates: { value: machines.flatMap(certificatesOf) },
    backups: { value: isLarge ? OLD_BACKUP : undefined },
    drift: { value: isLarge ? DRIFT : [] },
  };
}

const UNHEALTHY = {
  healthy: false,
  problems: ["worker-7: NotReady: Kubelet stopped posting node status.", "worker-10: cordoned"],
  warnings: ["worker-3 (10.0.1.3): kubelet client expires in 20 days"],
};
const OLD_BACKUP = {
  backup: { id: "65c64ecf", time: "2026-11-26T14:40:12.000Z" },
  problems: ["there has been no drill"],
};
const DRIFT = [
  { machine: "worker-2", resource: "Unit worker-2-kubelet", differences: ["/etc/kubernetes/kubelet.yaml: <maxPods>"] },
];

function machinesOf(controlPlanes: number, pools: Readonly<Record<string, number>>): MapMachine[] {
  const some = (count: number, prefix: string, pool: string, net: number) =>
    Array.from({ length: count }, (_, index): MapMachine => ({
      name: `${prefix}-${index + 1}`,
      pool,
      isControlPlane: pool === "control-plane",
      address: `10.0.${net}.${index + 1}`,
      hardware: "debian 12, 2 CPUs, 4 GiB",
    }));
  return [
    ...some(controlPlanes, "control-plane", "control-plane", 0),
    ...Object.entries(pools).flatMap(([pool, count], index) =>
      some(count, pool === "workers" ? "worker" : pool, pool, index + 1),
    ),
  ];
}

function nodeOf({ name, pool, address }: MapMachine, index: number, isLarge: boolean): NodeStatus {
  return {
    ...{ name, pool, address, version: "v1.36.3", runtime: "containerd 2.4.2" },
    ...{ ready: !isLarge || name !== "worker-7", cordoned: isLarge && name === "worker-10" },
    ...{ conditions: [], taints: [], pods: 3 + (index % 4), evicted: 0, capacity: 110 },
    ...{ roles: [], created: "2026-11-26T18:00:00.000Z" },
  };
}

function certificatesOf({ name, address, isControlPlane }: MapMachine): CertificateStatus[] {
  const names = isControlPlane ? ["apiserver", "etcd/server", "admin.conf"] : ["kubelet client"];
  return names.map((certificate) => ({
    ...{ node: name, machine: `${name} (${address})`, name: certificate },
    ...{ kind: isControlPlane ? "leaf" : "rotated", end: new Date("2027-11-26T18:00:00.000Z"), daysLeft: 364 },
    state: "valid",
  }));
}

function runOf(machines: readonly MapMachine[], isLarge: boolean): ClusterReport["run"] {
  const spans: RunSpan[] = [spanOf("cluster", "Network dev-network", 3.2, 0.6)];
  for (const { name, isControlPlane } of machines) {
    const steps = isControlPlane ? CONTROL_PLANE : WORKER;
    const delay = isControlPlane ? 0 : (Number(name.replace(/\D/g, "")) % 7) * 0.3;
    spans.push(...steps.map(([step, start, length]) => spanOf(name, labelOf(step, name), start + delay, length)));
  }
  spans.push(spanOf("control-plane-1", "Init control-plane-1-init", 16.5, 8.7));
  spans.push(spanOf("control-plane-1", "Node control-plane-1-node", 25.8, 2.7));
  if (isLarge) Object.assign(spans.find(({ label }) => label === "Join worker-7-join") ?? {}, { state: "failed" });
  const ordered = spans.sort((one, other) => one.start - other.start || byNumber(one.machine, other.machine));
  const duration = Math.max(...spans.map(({ end }) => end)) + 300;
  const outcome = isLarge ? "failed" : "succeeded";
  const start = "2026-11-26T18:02:11.000Z";
  const timeline = { start, duration, kind: "creation" as const, outcome, failures: [], spans: ordered } as const;
  return { timeline: { ...timeline, failures: [], spans: ordered }, criticalPath: criticalPath(ordered, DEPENDENCIES) };
}

/** Every step waits for the one before it on its machine, workers for the first control plane. */
const DEPENDENCIES = {
  get: (urn: string) => {
    const machine = /^(?:.* )?((?:control-plane|worker|gpu)-\d+)/.exec(urn)?.[1] ?? "";
    const order = ["Machine", "Host", "Binaries", "Unit", "Images", "Init", "Join", "Node"];
    const before = order[order.indexOf(urn.split(" ")[0] ?? "") - 1];
    const join = urn.startsWith("Join") ? ["Init control-plane-1-init"] : [];
    const node = urn.startsWith("Node worker") ? ["Node control-plane-1-node"] : [];
    const own =
      before === undefined ? ["Network dev-network"] : [labelOf(before, machine), `Unit ${machine}-containerd`];
    return [...own, ...join, ...node];
  },
} as unknown as Parameters<typeof criticalPath>[1];

function labelOf(step: string, machine: string): string {
  const [kind = "", name] = step.split(" ");
  if (kind === "Machine") return `Machine ${machine}`;
  return `${kind} ${machine}-${name ?? kind.toLowerCase()}`;
}

function spanOf(machine: string, label: string, start: number, length: number): RunSpan {
  const [begin, end] = [Math.round(start * 1_000), Math.round((start + length) * 1_000)];
  return { urn: label, label, machine, op: "create", start: begin, end, state: "done" };
}
