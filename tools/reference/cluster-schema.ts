import type { JumpHost } from "../../components/machines/machine";
import type { RemoteClusterArgs, RemoteMachine } from "../../components/remote-cluster";
import type { Schema } from "./json-schema";
import { SETTINGS_TYPES, listOf, mapOf, plain, text, typed, whole, type PropertiesOf } from "./settings-schema";

/** `restoreFrom` and `backup` are left out: they have passwords, which would have to be known when the program runs. */
type Arguments = Omit<RemoteClusterArgs, "restoreFrom" | "backup">;
type RemotePool = NonNullable<RemoteClusterArgs["pools"]>[number];

const login = {
  host: text("IP address or DNS name of the SSH server"),
  port: whole("TCP port of the SSH server. Default: 22"),
  user: text("User to log in as. Any user other than root needs sudo. Default: root"),
  privateKeyPath: text("File with the private key, on the computer that runs Pulumi"),
  privateKey: { ...text("The private key itself"), secret: true },
  agent: plain({ type: "boolean", description: "Use the keys of the SSH agent" }),
  password: { ...text("Password of the user"), secret: true },
  hostKey: text("The server's public host key"),
  jump: plain({
    $ref: "#/types/kubewright:components:JumpHost",
    description: "The SSH server through which this one is reached",
  }),
} satisfies PropertiesOf<JumpHost>;

const machine = {
  name: plain(text("Hostname of the machine and name of its node")),
  ...login,
  sudoPassword: { ...text("Password for sudo"), secret: true },
  privateAddress: text("IP address at which other nodes reach the machine. Default: host"),
  arch: plain(text("Architecture of the CPU: amd64 or arm64. Default: that of the computer that runs Pulumi")),
  bootTimeout: plain(whole("Seconds until a machine that boots must answer SSH")),
  madeBy: text("URN of the resource that created the machine. If it is deleted, nothing is removed from the machine"),
} satisfies PropertiesOf<RemoteMachine>;

const pool = {
  name: plain(text("Name of the pool")),
  machines: listOf("Machine", "Machines of the pool"),
  settings: typed("NodeSettings", "Settings of every node"),
  nodes: mapOf("NodeSettings", "Settings of single nodes, by machine name. They take precedence"),
  version: plain(text("Version of the kubelets. Default: that of the cluster")),
  versions: plain({
    type: "object",
    additionalProperties: { type: "string", plain: true },
    description: "Versions of single machines' kubelets, by machine name. They have priority over version",
  }),
  canaries: plain({
    type: "array",
    items: { type: "string", plain: true },
    description: "Names of machines whose kubelets have the cluster's version, whatever the pool's version is",
  }),
  maxUnavailable: plain(whole("Number of nodes that a change may make unavailable. Default: 1")),
  commands: typed("ConfigurationPoolsValueCommands", "Commands of your own on every machine of the pool"),
} satisfies PropertiesOf<RemotePool>;

export const CLUSTER_TYPES: Record<string, Schema> = {
  ...SETTINGS_TYPES,
  "kubewright:components:JumpHost": { type: "object", properties: login, required: ["host"] },
  "kubewright:components:Machine": { type: "object", properties: machine, required: ["name", "host"] },
  "kubewright:components:Pool": { type: "object", properties: pool, required: ["name", "machines"] },
};

export const CLUSTER = {
  isComponent: true,
  description: "A Kubernetes cluster on existing machines.",
  inputProperties: {
    version: plain(text("Version of Kubernetes, without v")),
    source: plain(text("Source of binaries and images. Default: auto")),
    runtime: plain(text("Container runtime: containerd or docker. Default: containerd")),
    controlPlanes: listOf("Machine", "Machines of the control plane: an odd number"),
    pools: listOf("Pool", "Pools of workers. Default: none"),
    controlPlane: typed("ControlPlaneSettings", "Settings of the control planes"),
    security: typed("ConfigurationSecurity", "Encryption of Secrets, audit log and Pod Security Standard"),
    network: typed("NetworkSettings", "Networks of pods and services"),
    timeouts: typed("Timeouts", "Deadlines in seconds"),
    drain: typed("DrainSettings", "How nodes are emptied"),
    extras: plain({ type: "boolean", description: "Also load the images that examples and tests use" }),
    soak: plain(whole("Seconds for which the cluster must stay healthy in an upgrade before it goes on")),
    components: typed("ComponentsSettings", "Build the cluster one component at a time, without kubeadm"),
  } satisfies PropertiesOf<Arguments>,
  requiredInputs: ["version", "controlPlanes"],
  properties: {
    kubeconfig: { ...text("The administrator's kubeconfig"), secret: true },
    kubectlPath: text("Path of a kubectl of the cluster's version"),
  },
  required: ["kubeconfig", "kubectlPath"],
};
