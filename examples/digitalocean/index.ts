import { homedir } from "node:os";
import { join } from "node:path";
import * as digitalocean from "@pulumi/digitalocean";
import { Cluster, type Machine } from "kubewright";

const key = digitalocean.getSshKeyOutput({ name: "my-key" });

/** Any VM that Pulumi can make is a machine, by its outputs: an address, a user, a key. The first connection pins its host key. */
function droplet(name: string): Machine {
  const made = new digitalocean.Droplet(name, {
    image: "debian-12-x64",
    region: "fra1",
    size: "s-2vcpu-4gb",
    sshKeys: [key.fingerprint],
  });
  const { ipv4Address: address, ipv4AddressPrivate: privateAddress } = made;
  return {
    name,
    address,
    privateAddress,
    privateKeyPath: join(homedir(), ".ssh", "id_ed25519"),
    bootTimeout: 300,
    madeBy: made,
  };
}

const cluster = new Cluster("droplets", {
  version: "1.36.3",
  controlPlanes: [droplet("boss")],
  pools: [{ name: "workers", machines: [droplet("hand")] }],
  network: { backend: "vxlan" },
});

export const kubeconfig = cluster.kubeconfig;
