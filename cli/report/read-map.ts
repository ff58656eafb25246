import { optional } from "../../common/optional";
import type { ClusterConfig } from "../../components/config";
import { byNumber } from "../../provider/preview/step";
import { isObject, type Properties } from "../../provider/rpc/values";
import type { StateResource } from "../engine/state";
import type { Dependencies } from "./critical-path";
import type { ClusterMap, MapMachine } from "./report-data";

/**
 * Reads the map of a cluster from its state.
 * @param config absent if it cannot be read
 */
export function readMap(resources: readonly StateResource[], config?: ClusterConfig): ClusterMap {
  const nodes = ofKind(resources, "kubewright:kube:Node");
  const controlPlanes = new Set(nodes.flatMap(({ inputs }) => namesOf(inputs?.controlPlanes)));
  const machines = ofKind(resources, "kubewright:host:Host").map((host) => machineOf(host, nodes, controlPlanes));
  return {
    machines: machines.sort(byRole),
    hasBalancers: resources.some(({ urn }) => urn.endsWith("-api-balancer")),
    ...optional({
      externalEndpoint: endpointOf(resources, config),
      network: config && networkOf(config),
    }),
  };
}

/** Returns the address for clients outside. That of a load balancer is in the state only. */
function endpointOf(resources: readonly StateResource[], config?: ClusterConfig): string | undefined {
  const { kind, address } = config?.controlPlane.endpoint ?? {};
  if (kind !== "loadBalancer") return address;
  const [kubeconfig] = ofKind(resources, "kubewright:local:Kubeconfig");
  const endpoints: unknown = kubeconfig?.inputs?.endpoints;
  return (Array.isArray(endpoints) && text(endpoints[0])) || undefined;
}

/** Returns the dependencies of the resources of a state. */
export function dependenciesOf(resources: readonly StateResource[]): Dependencies {
  return new Map(resources.map(({ urn, dependencies = [] }) => [urn, dependencies]));
}

function networkOf({ network }: ClusterConfig): ClusterMap["network"] {
  const { plugin, flannel, podCidr, serviceCidr } = network;
  return { plugin: plugin === "flannel" ? `${plugin} (${flannel.backend})` : plugin, podCidr, serviceCidr };
}

function ofKind(resources: readonly StateResource[], type: string): StateResource[] {
  return resources.filter((resource) => resource.type === type);
}

function machineOf(
  host: StateResource,
  nodes: readonly StateResource[],
  controlPlanes: ReadonlySet<string>,
): MapMachine {
  const connection = propertiesOf(host.inputs?.connection);
  const name = text(connection.name) || text(connection.host);
  const node = nodes.find(({ inputs }) => text(inputs?.node) === name);
  const isControlPlane = controlPlanes.has(name);
  return {
    name,
    pool: isControlPlane ? "control-plane" : text(node?.inputs?.pool) || "workers",
    isControlPlane,
    address: text(connection.host),
    hardware: hardwareOf(propertiesOf(host.outputs?.facts)),
  };
}

function hardwareOf({ osId, osVersion, cpus, memoryMiB }: Properties): string {
  const parts = [
    `${text(osId)} ${text(osVersion)}`.trim(),
    typeof cpus === "number" ? `${cpus} CPUs` : "",
    typeof memoryMiB === "number" ? `${Math.round(memoryMiB / 1024)} GiB` : "",
  ];
  return parts.filter(Boolean).join(", ");
}

/** Control planes first, then pool by pool. */
function byRole(one: MapMachine, other: MapMachine): number {
  return (
    Number(other.isControlPlane) - Number(one.isControlPlane) ||
    one.pool.localeCompare(other.pool) ||
    byNumber(one.name, other.name)
  );
}

function namesOf(connections: unknown): string[] {
  return Array.isArray(connections) ? connections.map((one) => text(propertiesOf(one).name)).filter(Boolean) : [];
}

function propertiesOf(value: unknown): Properties {
  return isObject(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
