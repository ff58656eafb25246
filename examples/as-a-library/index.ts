import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster, DockerMachines, Kubeconfig, type Machine } from "kubewright";

// A machine is an address, a user and a key. These machines are Docker containers. The outputs of a VM work as well:
//   { name: "worker-9", host: vm.ipAddress, user: "root", privateKeyPath: "/home/me/.ssh/id_ed25519" }
const folder = join(process.cwd(), ".keys");
const local = new DockerMachines("library", { names: ["control-plane-1", "worker-1"], keyFolder: folder });
const [controlPlane, ...workers] = local.machines as [Machine, ...Machine[]];

const cluster = new Cluster("library", {
  version: "1.36.3",
  controlPlanes: [controlPlane],
  pools: [{ name: "workers", machines: workers, settings: { labels: { tier: "web" }, kubelet: { maxPods: 200 } } }],
  network: { podCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" },
});

// Writes the administrator's kubeconfig to a file; the state contains only its hash.
const kubeconfig = new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), of: cluster.access });

export const kubeconfigPath: pulumi.Output<string> = kubeconfig.path;
