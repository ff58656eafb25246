import * as pulumi from "@pulumi/pulumi";
import { Cluster, type JumpHost, type Machine } from "kubewright";

// Set it with: pulumi config set --secret sudoPassword
const sudoPassword = new pulumi.Config().requireSecret("sudoPassword");
const bastion: JumpHost = { host: "bastion.example.com", user: "admin", agent: true };

/** Describes a machine that exists already, reached through the bastion with the keys of your SSH agent. */
function existingMachine(name: string, host: string): Machine {
  return { name, host, user: "admin", agent: true, sudoPassword, jump: bastion };
}

const cluster = new Cluster("own", {
  version: "1.36.3",
  controlPlanes: [existingMachine("control-plane-1", "10.0.0.10")],
  pools: [
    {
      name: "workers",
      machines: [existingMachine("worker-1", "10.0.0.11"), existingMachine("worker-2", "10.0.0.12")],
    },
  ],
});

export const kubeconfig = cluster.kubeconfig;
