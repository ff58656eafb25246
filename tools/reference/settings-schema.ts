import type { ComponentsSettings, ControlPlaneSettings, DrainSettings } from "../../components/nodes/settings";
import type { NetworkSettings, NodeSettings, Timeouts } from "../../components/nodes/settings";
import type { StaticToken } from "../../render/rung";
import type { Schema } from "./json-schema";

/**
 * The settings of the component `Cluster` in the package's schema. What has the same type in a stack's configuration
 * refers to that type.
 */

/** The compiler proves that an object has exactly the properties that the component takes. */
export type PropertiesOf<T> = Record<keyof T, Schema>;

const ANY: Schema = { $ref: "pulumi.json#/Any" };
/** The values of settings must be known when the program runs. */
export const plain = (schema: Schema): Schema => ({ ...schema, plain: true });
export const text = (description: string): Schema => ({ type: "string", description });
export const whole = (description: string): Schema => ({ type: "integer", description });
const seconds = (description: string): Schema => plain({ type: "number", description });
const names = (description: string): Schema =>
  plain({ type: "array", items: { type: "string", plain: true }, description });
const texts = (description: string): Schema =>
  plain({ type: "object", additionalProperties: { type: "string", plain: true }, description });
const anything = (description: string): Schema => plain({ type: "object", additionalProperties: ANY, description });
export const typed = (type: string, description: string): Schema =>
  plain({ $ref: `#/types/kubewright:components:${type}`, description });
export const listOf = (type: string, description: string): Schema =>
  plain({ type: "array", items: { $ref: `#/types/kubewright:components:${type}`, plain: true }, description });
export const mapOf = (type: string, description: string): Schema =>
  plain({
    type: "object",
    additionalProperties: { $ref: `#/types/kubewright:components:${type}`, plain: true },
    description,
  });

const node = {
  labels: texts("Labels of the node"),
  annotations: texts("Annotations of the node"),
  taints: listOf("ConfigurationPoolsValueTaints", "Taints of the node"),
  kubelet: typed("ConfigurationPoolsValueKubelet", "Fields of the kubelet's configuration (KubeletConfiguration)"),
  kubeletArgs: texts("Command-line flags of the kubelet, without leading dashes"),
  containerd: anything("Settings of containerd's configuration file, as nested tables"),
} satisfies PropertiesOf<NodeSettings>;

const controlPlane = {
  ...node,
  endpoint: plain({
    ...ANY,
    description:
      "Address at which clients outside of the cluster reach the API server: a text, or an object with the kind " +
      "nodes, vip or external and the address. Default: the kubeconfig names a control plane whose API server is ready",
  }),
  extraArgs: typed(
    "ConfigurationControlPlaneExtraArgs",
    "Command-line flags of the control plane's components, without leading dashes",
  ),
  emulate: plain(text("previous: the components behave as those of the minor version before")),
} satisfies PropertiesOf<ControlPlaneSettings>;

const network = {
  podCidr: plain(text("Range from which pods get their addresses. Default: 10.244.0.0/16")),
  serviceCidr: plain(text("Range from which services get their addresses. Default: 10.10.0.0/16")),
  nodeMaskSize: plain(whole("Prefix length of the part of podCidr that each node gets. Default: 24")),
  dnsDomain: plain(text("DNS domain of the cluster's services. Default: cluster.local")),
  plugin: plain(text("Pod network: flannel, or bridge on a single machine of the ladder. Default: flannel")),
  backend: plain(text("Backend of flannel: host-gw or vxlan. Default: host-gw")),
  proxyMode: plain(text("Mode of kube-proxy: nftables or iptables. Default: nftables")),
} satisfies PropertiesOf<NetworkSettings>;

const timeouts = {
  init: seconds("Seconds until kubeadm init must be done. Default: 300"),
  join: seconds("Seconds until a join must be done. Default: 300"),
  ready: seconds("Seconds until a joined node must be Ready, and CoreDNS Available. Default: 300"),
  healthy: seconds("Seconds until a service that was started or restarted must be healthy. Default: 120"),
} satisfies PropertiesOf<Timeouts>;

const drain = {
  timeout: seconds("Seconds until the drain gives up and makes the node schedulable again. Default: 300"),
  localData: plain(text("Pods with an emptyDir volume: refuse or delete. Default: refuse")),
  unmanaged: plain(text("Pods without a controller: refuse or delete. Default: refuse")),
  gracePeriod: plain(whole("Seconds that an evicted pod gets to terminate. Default: those of the pod")),
  force: plain({
    type: "boolean",
    description: "Evict all pods, whatever data they hold, and do not wait for a machine that does not answer",
  }),
  onUnreachable: plain(text("Pods of a node whose kubelet is silent: prove, force or fail. Default: prove")),
  fence: plain(text("Shell command that powers a machine off. Exit code 0 proves that the machine is off")),
} satisfies PropertiesOf<DrainSettings>;

const staticToken = {
  token: { ...plain(text("The token")), secret: true },
  user: plain(text("Name of the user")),
  uid: plain(text("ID of the user")),
  groups: names("Groups of the user"),
} satisfies PropertiesOf<StaticToken>;

const components = {
  rung: plain(text("The rung up to which the cluster is built. Default: dns, the highest one")),
  runAs: plain(text("What runs the components: static-pods or systemd. Default: static-pods")),
  staticTokens: listOf("StaticToken", "Users that log in with a token"),
  disableAdmission: names("Admission plugins that are disabled"),
} satisfies PropertiesOf<ComponentsSettings>;

const objectType = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: "object",
  properties,
  ...(required.length > 0 ? { required } : {}),
});

/** The types of a cluster's settings, by their names. */
export const SETTINGS_TYPES: Record<string, Schema> = Object.fromEntries(
  Object.entries({
    NodeSettings: objectType(node),
    ControlPlaneSettings: objectType(controlPlane),
    NetworkSettings: objectType(network),
    Timeouts: objectType(timeouts),
    DrainSettings: objectType(drain),
    ComponentsSettings: objectType(components),
    StaticToken: objectType(staticToken, ["token", "user", "uid"]),
  }).map(([name, schema]) => [`kubewright:components:${name}`, schema]),
);
