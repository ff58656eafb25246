import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
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
import type { AnyKind, Made, Order, Wanted } from "./kind";
import { KINDS } from "./kinds";
import { type PoolHost, sshKind } from "./ssh";

/** A machine that is wanted, and the kind that brings it. */
export type Request = Wanted<object> & { kind: AnyKind };

/** Every machine of the configuration, control planes first. */
export function requestsOf(config: ClusterConfig): Request[] {
  const { controlPlane } = config;
  const first: Place = { role: "control-plane", pool: "control-plane" };
  return [
    ...made(config, controlPlane, controlPlaneNames(config), first),
    ...given(listedControlPlanes(config), first),
    ...poolsOf(config).flatMap((pool) => {
      const place: Place = { role: "worker", pool: pool.name };
      return [...made(config, pool, madeNames(config, pool), place), ...given(listedIn(config, pool), place)];
    }),
  ];
}

type Place = Pick<Request, "role" | "pool">;

function made(
  config: ClusterConfig,
  own: ClusterConfig["controlPlane"] | ClusterConfig["workers"],
  names: string[],
  place: Place,
): Request[] {
  const kind = kindOf(config, own);
  return names.map((name) => ({
    ...place,
    name,
    kind,
    settings: z.object(kind.each).parse(machineSettings(config, own, kind)),
  }));
}

function given(hosts: PoolHost[], place: Place): Request[] {
  return hosts.map((settings) => ({ ...place, name: settings.name, kind: sshKind, settings }));
}

/** The machines that the configuration wants, each by its kind. */
export function makeMachines(
  config: ClusterConfig,
  known: Pick<Order<object, object>, "cluster" | "folder" | "turns">,
  options?: pulumi.ComponentResourceOptions,
): Made {
  const { podCidr, serviceCidr } = config.network;
  const requests = requestsOf(config);
  const parts: Made[] = [];
  for (const kind of KINDS) {
    const machines = requests.filter((request) => request.kind === kind).map(({ kind: _, ...wanted }) => wanted);
    if (machines.length === 0) continue;
    const shared = z.object(kind.shared).parse(sharedSettings(config, kind));
    const networks = parts.flatMap(({ network }) => network ?? []);
    parts.push(kind.make({ ...known, machines, shared, avoid: [podCidr, serviceCidr], networks }, options));
  }
  const stackId = parts.find((part) => part.stackId)?.stackId;
  return { machines: parts.flatMap(({ machines }) => machines), ...(stackId ? { stackId } : {}) };
}
