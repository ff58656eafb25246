import * as pulumi from "@pulumi/pulumi";
import { apiName } from "../../render/api-balancer";
import { nodeAddress } from "../machines/machine";
import type { ClusterMember, ClusterPlan } from "./member";

const API_PORT = 6443;

/** Address of an API server that has no balancer: that of a cluster which is built by components. */
export function singleEndpoint({ plan, address }: ClusterMember): pulumi.Input<string> {
  return externalAddress(plan) ?? pulumi.interpolate`${address}:${API_PORT}`;
}

/** Names and addresses for which the certificates of the API servers are valid. */
export function apiServerNames(plan: ClusterPlan): pulumi.Output<string[]> {
  const address = externalAddress(plan);
  const external = address === undefined ? [] : [hostOf(address)];
  const addresses = controlPlanesOf(plan).flatMap(({ machine }) => [machine.host, nodeAddress(machine)]);
  return pulumi
    .all(addresses)
    .apply((all) => [...new Set(["127.0.0.1", "localhost", apiName(plan.name), ...external, ...all])]);
}

/** The address that a kubeconfig for clients outside of the cluster names, for each control plane in order. */
export function clientEndpoints(plan: ClusterPlan): pulumi.Input<string>[] {
  const external = externalAddress(plan);
  return controlPlanesOf(plan).map(({ address }) => external ?? pulumi.interpolate`${address}:${API_PORT}`);
}

/** The control planes of a cluster, the first one first. */
export function controlPlanesOf({ members }: ClusterPlan): ClusterMember[] {
  return members.filter(({ isControlPlane }) => isControlPlane);
}

function externalAddress({ controlPlane: { endpoint } }: ClusterPlan): string | undefined {
  return typeof endpoint === "string" ? endpoint : endpoint?.address;
}

function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
