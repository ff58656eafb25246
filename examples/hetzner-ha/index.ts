import { join } from "node:path";
import { Cluster, HetznerMachines, Turns } from "kubewright";

// An odd number; of one control plane nothing survives.
const controlPlanes = ["control-plane-1"];
const workers = ["worker-1", "worker-2", "worker-3"];

const turns = new Turns("ha", { pools: [{ names: workers }], others: controlPlanes });
const settings = { serverType: "cx23", image: "debian-12", location: "fsn1" };
const { machines } = new HetznerMachines("ha", {
  machines: [
    ...controlPlanes.map((name) => ({ name, role: "control-plane" as const, pool: "control-plane", settings })),
    ...workers.map((name) => ({ name, role: "worker" as const, pool: "workers", settings })),
  ],
  shared: { subnet: "10.90.0.0/24", networkZone: "eu-central", sshFrom: ["0.0.0.0/0"] },
  folder: join(process.cwd(), ".keys"),
  turns,
});
const named = (names: string[]) => machines.filter(({ name }) => names.includes(name));

const cluster = new Cluster("ha", {
  version: "1.36.3",
  controlPlanes: named(controlPlanes),
  pools: [{ name: "workers", machines: named(workers) }],
  network: { backend: "vxlan" },
  turns,
});

export const kubeconfig = cluster.kubeconfig;
