import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster, DockerMachines, Kubeconfig, type Machine } from "kubewright";

// A machine is an address, a user and a key, whatever made it. These come from Docker; a droplet's or a VM's outputs fit as well:
//   const machine: Machine = { name: "worker-9", address: droplet.ipv4Address, user: "root", privateKeyPath: "/home/me/.ssh/id_ed25519" };
const made = new DockerMachines("library", { names: ["boss", "hand"], keyFolder: join(process.cwd(), ".keys") });
const [boss, ...hands] = made.machines as [Machine, ...Machine[]];

const cluster = new Cluster("library", {
  version: "1.36.3",
  controlPlanes: [boss],
  pools: [{ name: "hands", machines: hands, settings: { labels: { tier: "web" }, kubelet: { maxPods: 200 } } }],
  network: { podCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" },
});

const file = new Kubeconfig("kubeconfig", { path: join(process.cwd(), ".keys", "kubeconfig"), of: cluster.access });

export const kubeconfigPath: pulumi.Output<string> = file.path;
