import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../common/optional";
import {
  type ClusterConfig,
  controlPlaneNames,
  kindOf,
  listedControlPlanes,
  listedIn,
  machineSettings,
  madeNames,
  poolsOf,
  sharedSettings,
} from "../config";
import { KINDS } from "../config/machine-kinds";
import type { AnyKind, MachineOrder, MachineSet, MachineSpec } from "../machines/kind";
import { type PoolHost, sshKind } from "../machines/ssh";

/** A machine of the configuration, and the kind that creates it or connects to it. */
export type MachineRequest = MachineSpec<object> & { kind: AnyKind };

/** Every machine of the configuration, control planes first. */
export function machineRequests(config: ClusterConfig): MachineRequest[] {
  const { controlPlane } = config;
  const controlPlanes: Membership = { role: "control-plane", pool: "control-plane" };
  return [
    ...requestsToMake(config, controlPlane, controlPlaneNames(config), controlPlanes),
    ...requestsOfListed(listedControlPlanes(config), controlPlanes),
    ...poolsOf(config).flatMap((pool) => {
      const membership: Membership = { role: "worker", pool: pool.name };
      return [
        ...requestsToMake(config, pool, madeNames(config, pool), membership),
        ...requestsOfListed(listedIn(config, pool), membership),
      ];
    }),
  ];
}

type Membership = Pick<MachineRequest, "role" | "pool">;

function requestsToMake(
  config: ClusterConfig,
  pool: ClusterConfig["controlPlane"] | ClusterConfig["workers"],
  names: string[],
  membership: Membership,
): MachineRequest[] {
  const kind = kindOf(config, pool);
  return names.map((name) => ({
    ...membership,
    name,
    kind,
    settings: z.object(kind.each).parse(machineSettings(config, pool, kind)),
  }));
}

function requestsOfListed(hosts: PoolHost[], membership: Membership): MachineRequest[] {
  return hosts.map((settings) => ({ ...membership, name: settings.name, kind: sshKind, settings }));
}

/** Creates or connects to all machines of the configuration. */
export function createMachines(
  config: ClusterConfig,
  cluster: Pick<MachineOrder<object, object>, "cluster" | "folder" | "rollingUpdate">,
  options?: pulumi.ComponentResourceOptions,
): MachineSet {
  const { podCidr, serviceCidr } = config.network;
  const requests = machineRequests(config);
  const balanced = balancedKind(config);
  const sets: MachineSet[] = [];
  for (const kind of KINDS) {
    const machines = requests.filter((request) => request.kind === kind).map(({ kind: _, ...spec }) => spec);
    if (machines.length === 0) continue;
    const shared = z.object(kind.shared).parse(sharedSettings(config, kind));
    const networks = sets.flatMap(({ network }) => network ?? []);
    const order = { ...cluster, machines, shared, avoid: [podCidr, serviceCidr], networks };
    sets.push(kind.make({ ...order, loadBalancer: kind === balanced }, options));
  }
  return {
    machines: sets.flatMap(({ machines }) => machines),
    ...optional({
      stackId: sets.find(({ stackId }) => stackId)?.stackId,
      loadBalancer: sets.find(({ loadBalancer }) => loadBalancer)?.loadBalancer,
    }),
  };
}

/** The kind that creates a load balancer for the API servers: that of the control planes, if there is to be one. */
function balancedKind(config: ClusterConfig): AnyKind | undefined {
  const { controlPlane } = config;
  return controlPlane.endpoint.kind === "loadBalancer" ? kindOf(config, controlPlane) : undefined;
}
