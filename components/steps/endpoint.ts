import { isIPv6 } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { apiName } from "../../render/api-balancer";
import { API_PORT, type ApiLoadBalancer } from "../machines/api-load-balancer";
import { nodeAddress } from "../machines/machine";
import type { ClusterMember, ClusterPlan } from "./member";

/** Address of an API server that has no balancer: that of a cluster which is built by components. */
export function singleEndpoint({ plan, address }: ClusterMember): pulumi.Input<string> {
  return clientAddress(plan) ?? pulumi.interpolate`${address}:${API_PORT}`;
}

/** Names and addresses for which the certificates of the API servers are valid. */
export function apiServerNames(plan: ClusterPlan): pulumi.Output<string[]> {
  const address = clientAddress(plan);
  const own = address === undefined ? [] : [pulumi.output(address).apply(hostOf)];
  const addresses = controlPlanesOf(plan).flatMap(({ machine }) => [machine.host, nodeAddress(machine)]);
  return pulumi
    .all([...own, ...addresses])
    .apply((all) => [...new Set(["127.0.0.1", "localhost", apiName(plan.name), ...all])]);
}

/** The address that a kubeconfig for clients outside of the cluster names, for each control plane in order. */
export function clientEndpoints(plan: ClusterPlan): pulumi.Input<string>[] {
  const own = clientAddress(plan);
  return controlPlanesOf(plan).map(({ address }) => own ?? pulumi.interpolate`${address}:${API_PORT}`);
}

/** The control planes of a cluster, the first one first. */
export function controlPlanesOf({ members }: ClusterPlan): ClusterMember[] {
  return members.filter(({ isControlPlane }) => isControlPlane);
}

/** Returns the address of the control planes' virtual address; undefined if they have none. */
export function virtualAddress({ controlPlane: { endpoint } }: ClusterPlan): string | undefined {
  return typeof endpoint === "object" && endpoint.kind === "vip" ? endpoint.address : undefined;
}

/** Returns the load balancer of a cloud in front of the API servers; undefined if there is none. */
export function loadBalancerOf({ controlPlane: { endpoint } }: ClusterPlan): ApiLoadBalancer | undefined {
  return typeof endpoint === "object" && endpoint.kind === "loadBalancer" ? endpoint : undefined;
}

/** Returns the address, `host:port`, that leads to every control plane; undefined if there is none. */
function clientAddress(plan: ClusterPlan): pulumi.Input<string> | undefined {
  const { endpoint } = plan.controlPlane;
  if (typeof endpoint === "string") return endpoint;
  const vip = virtualAddress(plan);
  if (vip !== undefined) return withPort(vip);
  if (endpoint?.kind === "loadBalancer") return pulumi.output(endpoint.address).apply(withPort);
  return endpoint?.address;
}

function withPort(address: string): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${API_PORT}`;
}

function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
