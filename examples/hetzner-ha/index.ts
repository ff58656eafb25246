import { join } from "node:path";
import { Cluster, HetznerMachines, RollingUpdate } from "kubewright";

// Add control planes in pairs: etcd needs an odd number. To survive the loss of one, the cluster also needs a load
// balancer for the API server, and its address in `controlPlane: { endpoint: "host:port" }` below.
const controlPlanes = ["control-plane-1"];
const workers = ["worker-1", "worker-2", "worker-3"];

// Replaces the workers one at a time when a change needs new machines.
const rollingUpdate = new RollingUpdate("ha", { pools: [{ names: workers }], others: controlPlanes });
const { machines } = new HetznerMachines("ha", {
  machines: [
    ...controlPlanes.map((name) => ({ name, role: "control-plane" as const })),
    ...workers.map((name) => ({ name })),
  ],
  settings: { serverType: "cx23", image: "debian-12", location: "fsn1" },
  shared: { sshFrom: ["0.0.0.0/0"] }, // restrict it to your own address
  folder: join(process.cwd(), ".keys"),
  rollingUpdate,
});
const machinesNamed = (names: string[]) => machines.filter(({ name }) => names.includes(name));

const cluster = new Cluster("ha", {
  version: "1.36.3",
  controlPlanes: machinesNamed(controlPlanes),
  pools: [{ name: "workers", machines: machinesNamed(workers) }],
  network: { backend: "vxlan" }, // Hetzner Cloud routes between servers
  rollingUpdate,
});

export const kubeconfig = cluster.kubeconfig;
