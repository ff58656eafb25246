import { homedir } from "node:os";
import { join } from "node:path";
import * as digitalocean from "@pulumi/digitalocean";
import { Cluster, type Machine } from "kubewright";

// The name of an SSH key in your DigitalOcean account.
const key = digitalocean.getSshKeyOutput({ name: "my-key" });

/** Creates a droplet and returns it as a machine. The first SSH connection pins its host key. */
function createDroplet(name: string): Machine {
  const droplet = new digitalocean.Droplet(name, {
    image: "debian-12-x64",
    region: "fra1",
    size: "s-2vcpu-4gb",
    sshKeys: [key.fingerprint],
  });
  return {
    name,
    host: droplet.ipv4Address,
    privateAddress: droplet.ipv4AddressPrivate,
    privateKeyPath: join(homedir(), ".ssh", "id_ed25519"),
    bootTimeout: 300, // seconds
    madeBy: droplet, // when the droplet is deleted, nothing on it needs to be cleaned
  };
}

const cluster = new Cluster("droplets", {
  version: "1.36.3",
  controlPlanes: [createDroplet("control-plane-1")],
  pools: [{ name: "workers", machines: [createDroplet("worker-1")] }],
  network: { backend: "vxlan" }, // the droplets are not on one network segment
});

export const kubeconfig = cluster.kubeconfig;
