import { join } from "node:path";
import { Cluster, HetznerMachines, RollingUpdate } from "kubewright";

// The cluster survives the loss of any one of them: every node reaches all of them through its own load balancer.
const controlPlanes = ["control-plane-1", "control-plane-2", "control-plane-3"];
const workers = ["worker-1", "worker-2", "worker-3"];

// Replaces the workers one at a time when a change needs new machines.
const rollingUpdate = new RollingUpdate("ha", { pools: [{ names: workers }], others: controlPlanes });
const cloud = new HetznerMachines("ha", {
  machines: [
    ...controlPlanes.map((name) => ({ name, role: "control-plane" as const })),
    ...workers.map((name) => ({ name })),
  ],
  settings: { serverType: "cx23", image: "debian-12", location: "fsn1" },
  shared: { sshFrom: ["0.0.0.0/0"] }, // restrict it to your own address
  folder: join(process.cwd(), ".keys"),
  loadBalancer: true, // for clients outside; it has a price of its own
  rollingUpdate,
});
const machinesNamed = (names: string[]) => cloud.machines.filter(({ name }) => names.includes(name));

const cluster = new Cluster("ha", {
  version: "1.36.3",
  controlPlanes: machinesNamed(controlPlanes),
  controlPlane: { endpoint: cloud.apiEndpoint }, // the kubeconfig names the load balancer
  pools: [{ name: "workers", machines: machinesNamed(workers) }],
  network: { backend: "vxlan" }, // Hetzner Cloud routes between servers
  rollingUpdate,
});

export const kubeconfig = cluster.kubeconfig;
