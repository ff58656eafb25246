import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./cluster";
import type { ClusterArgs } from "./nodes/cluster-arguments";
import type { Machine } from "./machines/machine";
import type { PoolArgs } from "./nodes/pool";

/** A machine as programs in other languages describe it: a resource is not a value, but its URN is. */
export type RemoteMachine = Omit<Machine, "madeBy"> & { madeBy?: pulumi.Input<string> };

/** Arguments of a `Cluster` in other languages. */
export type RemoteClusterArgs = Omit<
  ClusterArgs,
  "controlPlanes" | "pools" | "prefixed" | "rollingUpdate" | "turns"
> & {
  controlPlanes: RemoteMachine[];
  pools?: (Omit<PoolArgs, "machines"> & { machines: RemoteMachine[] })[];
};

/** Properties of a machine whose values may be outputs of other resources. */
const OUTPUTS = ["host", "port", "user", "hostKey", "privateAddress", "madeBy"];
const SECRETS = ["privateKey", "privateKeyPath", "password", "sudoPassword"];

/** Returns whether a value may be known only when other resources exist: those of a machine, or of its jump host. */
export function mayBeOutput(path: readonly (string | number)[]): boolean {
  const [first, ...rest] = path;
  const name = String(path.at(-1));
  const isOfMachine = first === "controlPlanes" || (first === "pools" && rest[1] === "machines");
  return isOfMachine && [...OUTPUTS, ...SECRETS].includes(name);
}

/** Creates the cluster on machines that the program knows. */
export function createRemoteCluster(
  name: string,
  { controlPlanes, pools = [], ...args }: RemoteClusterArgs,
  options: pulumi.ComponentResourceOptions,
): Cluster {
  const withMachines = pools.map((pool) => ({ ...pool, machines: pool.machines.map(machineOf) }));
  // The engine constructs components in any order, so there is no first one.
  const all = { ...args, controlPlanes: controlPlanes.map(machineOf), pools: withMachines, prefixed: true };
  return new Cluster(name, all, options);
}

function machineOf({ madeBy, ...machine }: RemoteMachine): Machine {
  return madeBy === undefined ? machine : { ...machine, madeBy: resourceWith(madeBy) };
}

/** A resource for the option `deletedWith`, which reads its URN only. */
function resourceWith(urn: pulumi.Input<string>): pulumi.Resource {
  return Object.assign(new pulumi.DependencyResource(""), { urn: pulumi.output(urn) });
}
