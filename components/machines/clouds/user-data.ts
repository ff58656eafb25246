import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { portablePath } from "../../../common/portable-path";
import { HostKey, SshKey } from "../../../sdk/local";
import { AGENT_PORT } from "../../../render/api-balancer";
import { userData } from "../../../render/cloud-init";
import { cidr } from "../../fields/fields";
import { API_PORT } from "../api-load-balancer";
import type { MachineSpec } from "../kind";
import type { Machine } from "../machine";

/** Seconds until a cloud's machine must have booted and answer SSH for the first time. */
const BOOT_SECONDS = 300;

/** Ranges from which connections to the SSH port are allowed. */
export const sshFrom = z.array(cidr).min(1).default(["0.0.0.0/0"]);

/** Ranges from which clients may connect to the load balancer of the API servers. */
export const apiFrom = z.array(cidr).min(1).default(["0.0.0.0/0"]);

/** Ports besides SSH at which nodes reach one another. */
export const CLUSTER_PORTS = [
  { protocol: "tcp", from: API_PORT, to: API_PORT, purpose: "Kubernetes API" },
  { protocol: "tcp", from: 2379, to: 2380, purpose: "etcd" },
  { protocol: "tcp", from: AGENT_PORT, to: AGENT_PORT, purpose: "API balancers" },
  { protocol: "tcp", from: 10250, to: 10250, purpose: "kubelet" },
  { protocol: "udp", from: 8472, to: 8472, purpose: "flannel VXLAN" },
] as const;

/** How a new machine is configured at its first boot. */
export interface FirstBoot {
  userData: pulumi.Output<string>;
  /** The machine's public host key. */
  hostKey: pulumi.Output<string>;
}

/** Creates the user data of a machine: its hostname, a new host key, and the public key that may log in. */
export function createFirstBoot(name: string, key: SshKey, parent: pulumi.Resource): FirstBoot {
  const hostKey = new HostKey(`${name}-host-key`, { machine: name }, { parent });
  const data = pulumi
    .all([key.publicKey, hostKey.privateKey, hostKey.publicKey])
    .apply(([authorized, privateKey, publicKey]) =>
      userData({ hostname: name, authorizedKeys: [authorized], hostKey: { privateKey, publicKey } }),
    );
  return { userData: data, hostKey: hostKey.publicKey };
}

/** Creates the key pair with which Kubewright logs in to the cluster's machines. */
export function createLoginKey(cluster: string, folder: string, parent: pulumi.Resource): SshKey {
  return new SshKey(
    `${cluster}-ssh-key`,
    { path: portablePath(`${folder}/id_ed25519`), comment: `kubewright ${cluster}` },
    { parent },
  );
}

/** The machine as Kubewright logs in to it. */
export function cloudMachine(
  name: string,
  key: SshKey,
  { hostKey }: FirstBoot,
  vm: Pick<Machine, "host" | "privateAddress" | "arch" | "madeBy">,
): Machine {
  return { name, user: "root", privateKeyPath: key.path, hostKey, bootTimeout: BOOT_SECONDS, ...vm };
}

/**
 * Distributes the machines of each pool to groups of at most `size`, which the cloud keeps on different hosts.
 * Returns the group of each machine.
 */
export function spreadOverGroups<Each, Group>(
  machines: readonly MachineSpec<Each>[],
  size: number,
  createGroup: (name: string) => Group,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  const counts = new Map<string, number>();
  return new Map(
    machines.map(({ name, pool }) => {
      const count = counts.get(pool) ?? 0;
      counts.set(pool, count + 1);
      const groupName = `${pool}-${Math.floor(count / size) + 1}`;
      const group = groups.get(groupName) ?? createGroup(groupName);
      groups.set(groupName, group);
      return [name, group];
    }),
  );
}
