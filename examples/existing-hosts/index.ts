import * as pulumi from "@pulumi/pulumi";
import { Cluster, type JumpHost, type Machine } from "kubewright";

// pulumi config set --secret sudoPassword ...
const sudoPassword = new pulumi.Config().requireSecret("sudoPassword");
const bastion: JumpHost = { host: "bastion.example.com", user: "admin", agent: true };

const own = (name: string, address: string): Machine => ({
  name,
  address,
  user: "admin",
  agent: true,
  sudoPassword,
  jump: bastion,
});

const cluster = new Cluster("own", {
  version: "1.36.3",
  controlPlanes: [own("boss", "10.0.0.10")],
  pools: [{ name: "workers", machines: [own("hand-1", "10.0.0.11"), own("hand-2", "10.0.0.12")] }],
});

export const kubeconfig = cluster.kubeconfig;
