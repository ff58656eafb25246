import type * as pulumi from "@pulumi/pulumi";
import { all } from "@pulumi/pulumi";
import { z } from "zod";
import { HostKey, SshKey } from "../../../sdk/local";
import { userData } from "../../../render/cloud-init";
import { cidr } from "../../fields/fields";
import type { Takers, Wanted } from "../kind";
import type { Machine } from "../machine";

/** Seconds for a cloud's machine to boot and answer SSH for the first time. */
const BOOT_SECONDS = 300;

/** Who may try to log in. The machines' own traffic is on their private network. */
export const sshFrom = z.array(cidr).min(1).default(["0.0.0.0/0"]);

/** What nodes need of one another beside SSH: the API server, etcd, the kubelet, flannel's VXLAN. */
export const CLUSTER_PORTS = [
  { protocol: "tcp", from: 6443, to: 6443, why: "Kubernetes API" },
  { protocol: "tcp", from: 2379, to: 2380, why: "etcd" },
  { protocol: "tcp", from: 10250, to: 10250, why: "kubelet" },
  { protocol: "udp", from: 8472, to: 8472, why: "flannel VXLAN" },
] as const;

export interface Birth {
  userData: pulumi.Output<string>;
  hostKey: pulumi.Output<string>;
}

/** What a machine of a cloud is born with: a name, our host key, and who may log in. */
export function birthOf(name: string, key: SshKey, parent: pulumi.Resource): Birth {
  const own = new HostKey(`${name}-host-key`, { machine: name }, { parent });
  const data = all([key.publicKey, own.privateKey, own.publicKey]).apply(([authorized, privateKey, publicKey]) =>
    userData({ hostname: name, authorizedKeys: [authorized], hostKey: { privateKey, publicKey } }),
  );
  return { userData: data, hostKey: own.publicKey };
}

export function clusterKey(cluster: string, folder: string, parent: pulumi.Resource): SshKey {
  return new SshKey(
    `${cluster}-ssh-key`,
    { path: `${folder}/id_ed25519`, comment: `kubewright ${cluster}` },
    { parent },
  );
}

/**
 * What holds for every cloud's machine. User data is read at the first boot alone, and an image is only where a machine begins: another of
 * either is no reason to make a node anew.
 */
export function vmOptions(
  parent: pulumi.Resource,
  after: pulumi.Resource[],
  ignoreChanges: string[],
  name: string,
  turns: Takers | undefined,
): pulumi.CustomResourceOptions {
  return { parent, deleteBeforeReplace: true, ignoreChanges, dependsOn: inTurn(name, after, turns) };
}

async function inTurn(name: string, after: pulumi.Resource[], turns: Takers | undefined): Promise<pulumi.Resource[]> {
  return [...((await turns?.of(name)) ?? []), ...after];
}

/** How the toolkit gets into a cloud's machine. */
export function bornMachine(
  name: string,
  key: SshKey,
  { hostKey }: Birth,
  made: Pick<Machine, "address" | "privateAddress" | "arch" | "madeBy">,
): Machine {
  return { name, user: "root", privateKeyPath: key.path, hostKey, bootTimeout: BOOT_SECONDS, ...made };
}

/** Machines that stand in for one another, in groups of `most` that a cloud keeps on different hosts; by machine. */
export function spread<E, G>(machines: readonly Wanted<E>[], most: number, make: (group: string) => G): Map<string, G> {
  const groups = new Map<string, G>();
  const places = new Map<string, number>();
  return new Map(
    machines.map(({ name, pool }) => {
      const place = places.get(pool) ?? 0;
      places.set(pool, place + 1);
      const id = `${pool}-${Math.floor(place / most) + 1}`;
      const group = groups.get(id) ?? make(id);
      groups.set(id, group);
      return [name, group];
    }),
  );
}
