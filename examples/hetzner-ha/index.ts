import { join } from "node:path";
import { Cluster, HetznerMachines, Turns } from "kubewright";

// Add control planes in pairs: etcd needs an odd number. To survive the loss of one, the cluster also needs a load
// balancer for the API server, and its address in `controlPlane: { endpoint: "host:port" }` below.
const controlPlanes = ["control-plane-1"];
const workers = ["worker-1", "worker-2", "worker-3"];

// Replaces the workers one at a time when a change needs new machines.
const turns = new Turns("ha", { pools: [{ names: workers }], others: controlPlanes });
const settings = { serverType: "cx23", image: "debian-12", location: "fsn1" };
const { machines } = new HetznerMachines("ha", {
  machines: [
    ...controlPlanes.map((name) => ({ name, role: "control-plane" as const, pool: "control-plane", settings })),
    ...workers.map((name) => ({ name, role: "worker" as const, pool: "workers", settings })),
  ],
  // Restrict sshFrom to your own address.
  shared: { subnet: "10.90.0.0/24", networkZone: "eu-central", sshFrom: ["0.0.0.0/0"] },
  folder: join(process.cwd(), ".keys"),
  turns,
});
const machinesNamed = (names: string[]) => machines.filter(({ name }) => names.includes(name));

const cluster = new Cluster("ha", {
  version: "1.36.3",
  controlPlanes: machinesNamed(controlPlanes),
  pools: [{ name: "workers", machines: machinesNamed(workers) }],
  network: { backend: "vxlan" }, // Hetzner Cloud routes between servers
  turns,
});

export const kubeconfig = cluster.kubeconfig;
