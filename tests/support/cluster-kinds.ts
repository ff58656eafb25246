import { fc } from "./fast-check";
import { DRAIN_DEFAULTS } from "../../contracts/drain";
import { POOL_LABEL } from "../../common/labels";
import { manifestsResource } from "../../provider/resources/manifests";
import { nodeResource } from "../../provider/resources/node";
import { rolloutResource } from "../../provider/resources/rollout";
import type { Json } from "./memory-engine";
import { yamlText } from "../../render/json";
import { clusterConfigurationResource } from "../../provider/resources/kubeadm-cluster-configuration";
import { controlPlaneResource } from "../../provider/resources/kubeadm-control-plane";
import { kubeadmInitResource } from "../../provider/resources/kubeadm-init";
import { kubeadmJoinResource } from "../../provider/resources/kubeadm-join";
import { kubeletJoinResource } from "../../provider/resources/kubelet-join";
import { createAuthority, createCertificate } from "../../provider/pki/x509";
import { caCertHash } from "../../provider/pki/ca-cert-hash";
import type { Faults } from "./faults";
import { KubeadmMachine } from "./kubeadm-machine";
import { filesBelow, three } from "./resource-kinds";
import type { ResourceKind, World } from "./resource-world";

const OBJECTS: Json = {
  namespace: { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } },
  config: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "demo", namespace: "demo" } },
  agent: { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent", namespace: "demo" } },
};

const manifestsProgram = fc
  .tuple(fc.subarray(Object.keys(OBJECTS), { minLength: 1 }), fc.constantFrom("1", "2"))
  .map(([names, version]) => ({
    objects: Object.fromEntries(names.map((name) => [name, { ...(OBJECTS[name] as object), data: { version } }])),
  })) as unknown as fc.Arbitrary<Json>;

const nodeProgram = fc.record({
  node: fc.constant("worker-1"),
  membership: fc.constant("join"),
  labels: fc.dictionary(fc.constantFrom("tier", "zone"), fc.constantFrom("a", "b"), { noNullPrototype: true }),
  annotations: fc.dictionary(fc.constantFrom("note"), fc.constantFrom("a", "b"), { noNullPrototype: true }),
  taints: fc.subarray([
    { key: "gpu", value: "yes", effect: "NoSchedule" },
    { key: "old", effect: "NoExecute" },
  ]),
  schedulable: fc.boolean(),
  readyTimeout: fc.constant(30),
  drain: fc.constant({ ...DRAIN_DEFAULTS }),
  pool: fc.constant("workers"),
  maxUnavailable: fc.constant(1),
}) as unknown as fc.Arbitrary<Json>;

/** Registers the Node of the machine's kubelet, Ready, with settings that other programs made. */
function registerNode({ api }: World): void {
  api.memory.nodes.set("worker-1", {
    metadata: { name: "worker-1", labels: { [POOL_LABEL]: "workers", other: "kept" }, annotations: { other: "kept" } },
    spec: { taints: [{ key: "other", effect: "PreferNoSchedule" }] },
    status: {
      conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: new Date(0), lastTransitionTime: new Date(0) }],
      nodeInfo: { machineID: "a1", kubeletVersion: "v1.36.3" },
    } as never,
  });
}

/** A kubelet registers its Node only when it starts. */
function registerAfterRestart(world: World): void {
  world.machine.on(/^systemctl restart kubelet$/, () => {
    if (!world.api.memory.nodes.has("worker-1")) registerNode(world);
    return "";
  });
}

/** Certificates of the cluster and of its node worker-1. */
export interface ClusterCertificates {
  ca: string;
  client: string;
}

export async function createClusterCertificates(): Promise<ClusterCertificates> {
  const authority = await createAuthority("kubernetes", 3_650);
  const subject = { commonName: "system:node:worker-1", organizations: ["system:nodes"] };
  const client = await createCertificate(authority, { ...subject, usages: ["client"], days: 300 });
  return { ca: authority.certificate, client: client.certificate };
}

const initProgram = fc.constantFrom("one", "two").map((clusterName) => ({
  documents: [
    { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "InitConfiguration", nodeRegistration: { name: "worker-1" } },
    {
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "ClusterConfiguration",
      clusterName,
      networking: {},
      kubernetesVersion: "1.36.3",
    },
  ],
  timeout: 60,
}));

const controlPlaneProgram = fc.constantFrom("one", "two").map((clusterName) => ({
  node: "worker-1",
  documents: [{ apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration", clusterName }],
}));

const joinProgram = fc.record({
  caCertHash: fc.constant(""),
  document: fc.record({
    apiVersion: fc.constant("kubeadm.k8s.io/v1beta4"),
    kind: fc.constant("JoinConfiguration"),
    discovery: fc.constant({ bootstrapToken: { apiServerEndpoint: "10.0.0.9:6443" } }),
    nodeRegistration: fc.constant({ name: "worker-1" }),
  }),
  timeout: fc.constant(60),
});

const bootstrapProgram = fc.record({
  node: fc.constant("worker-1"),
  clusterName: fc.constant("demo"),
  endpoint: fc.constant("10.0.0.9:6443"),
  files: filesBelow("/etc/kubernetes/kubelet.conf.d", ["20-cluster.conf", "30-more.conf"]),
  timeout: fc.constant(60),
}) as unknown as fc.Arbitrary<Json>;

/** Resources that make a machine a node. */
export function membershipKinds(certificates: ClusterCertificates): readonly ResourceKind[] {
  const machine = (faults: Faults) => new KubeadmMachine(faults, certificates);
  const withHash = (program: Json) => ({ ...program, caCertHash: caCertHash(certificates.ca) });
  const hashed = (programs: fc.Arbitrary<readonly [Json, Json, Json]>) =>
    programs.map((all) => all.map(withHash) as never);
  return [
    {
      name: "kubeadm Init",
      handler: kubeadmInitResource,
      programs: three(initProgram),
      machine,
      without: ["controlPlanes"],
    },
    {
      name: "kubeadm ControlPlane",
      handler: controlPlaneResource,
      programs: three(controlPlaneProgram),
      machine,
      prepare: (world) => (world.machine as KubeadmMachine).renderManifest("/etc/kubernetes/manifests"),
      leaves: {
        reason: "its membership's delete resets the machine",
        apply: (reference, deleted) => {
          for (const [path, file] of deleted.machine.files) reference.machine.files.set(path, file);
        },
      },
    },
    {
      name: "kubeadm Join",
      handler: kubeadmJoinResource,
      programs: hashed(joinProgram.map((program) => [program, program, program] as never)),
      machine,
      prepare: signTokens,
    },
    { name: "kubelet Join", handler: kubeletJoinResource, programs: hashed(three(bootstrapProgram)), machine },
  ];
}

/** Signs the ConfigMap cluster-info with every token, as the controller manager does. */
function signTokens({ api }: World): void {
  api.reconcile = () => {
    const names = [...api.memory.secrets.values()].map(({ metadata }) => metadata?.name ?? "");
    const signatures = names.map((name) => [`jws-kubeconfig-${name.replace("bootstrap-token-", "")}`, "x"]);
    api.memory.configMaps.set("kube-public/cluster-info", {
      data: Object.fromEntries(signatures) as Record<string, string>,
    });
  };
}

const KUBEADM = { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration" };
const KUBE_PROXY = { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration" };

const configurationProgram = fc
  .tuple(fc.constantFrom("10.0.0.1", "10.0.0.2"), fc.constantFrom("nftables", "iptables"))
  .map(([name, mode]) => ({
    documents: [
      { ...KUBEADM, apiServer: { certSANs: [name] } },
      { ...KUBE_PROXY, mode },
    ],
  }));

/** Creates what `kubeadm init` has uploaded. */
function uploadConfiguration({ api }: World): void {
  const conntrack = { maxPerCore: null, min: null, tcpEstablishedTimeout: null, tcpCloseWaitTimeout: null };
  api.firstProxy = yamlText({ ...KUBE_PROXY, mode: "nftables", conntrack });
  const kubeadm = yamlText({ ...KUBEADM, apiServer: { certSANs: ["10.0.0.1"] }, controllerManager: {}, scheduler: {} });
  api.memory.configMaps.set("kube-system/kubeadm-config", { data: { ClusterConfiguration: kubeadm } });
  api.memory.configMaps.set("kube-system/kube-proxy", { data: { "config.conf": api.firstProxy } });
  api.memory.daemonSets.set("kube-system/kube-proxy", {});
}

/** Resources in the Kubernetes API. */
export const apiKinds: readonly ResourceKind[] = [
  { name: "Manifests", handler: manifestsResource, programs: three(manifestsProgram) },
  {
    name: "Node",
    handler: nodeResource,
    programs: three(nodeProgram),
    prepare: (world) => {
      registerNode(world);
      registerAfterRestart(world);
    },
    leaves: {
      reason: "its delete removes the Node that the kubelet registered, if it was recorded",
      apply: (reference, { engine }) => void (engine.hasExisted && reference.api.memory.nodes.clear()),
    },
  },
  {
    name: "Node whose kubelet registers after a restart",
    handler: nodeResource,
    programs: three(nodeProgram),
    prepare: registerAfterRestart,
  },
  {
    name: "kubeadm ClusterConfiguration",
    handler: clusterConfigurationResource,
    programs: three(configurationProgram),
    prepare: uploadConfiguration,
    leaves: {
      reason: "kubeadm created the ConfigMaps, and deletes them together with the cluster",
      apply: ({ api }, deleted) => {
        for (const [name, map] of deleted.api.memory.configMaps) api.memory.configMaps.set(name, map);
        for (const [name, set] of deleted.api.memory.daemonSets) api.memory.daemonSets.set(name, set);
      },
    },
  },
  {
    name: "Rollout",
    handler: rolloutResource,
    programs: three(
      fc.record({
        namespace: fc.constant("kube-system"),
        deployment: fc.constant("coredns"),
        patch: fc.record({ replicas: fc.nat(5) }),
        timeout: fc.constant(60),
      }),
    ),
    leaves: {
      reason: "kubeadm created the Deployment, and deletes it together with the cluster",
      apply: (reference, deleted) => {
        for (const [name, body] of deleted.api.deployments) reference.api.deployments.set(name, body);
      },
    },
  },
];
