import * as pulumi from "@pulumi/pulumi";
import { LADDER_ENCRYPTION_FILE } from "../render/component-paths";
import type { BuiltCluster } from "./bootstrap";
import type { LadderSteps } from "./bootstrap-resources";
import {
  applyBootstrapBindings,
  applyDefaultServiceAccount,
  applyDns,
  applyProxy,
  rollOutProxy,
} from "./ladder/add-ons";
import {
  runApiServer,
  runControllerManager,
  runEtcd,
  runScheduler,
  writeAdminKubeconfig,
} from "./ladder/control-plane";
import type { LadderCluster } from "./ladder/ladder-cluster";
import { addLadderNode, cleanUpAfter, installBridge, joinKubelet, runHelloPod } from "./ladder/node";
import { PREPARED, preparation } from "./preparation";
import { rollOutDns } from "./steps/dns";
import { createEncryptionKeys, encryptSecrets, hasEncryption } from "./steps/encryption";
import { singleEndpoint } from "./steps/endpoint";
import { type ClusterMember, controlPlaneConnections } from "./steps/member";
import { installTool } from "./steps/node";
import { applyPodNetwork, rollOutPodNetwork } from "./steps/pod-network";
import { type StepList, StepRunner } from "./steps/step";

const everyMachine = () => true;
const controlPlane = ({ isControlPlane }: ClusterMember) => isControlPlane;
const firstControlPlane = ({ isFirst }: ClusterMember) => isFirst;
const encryptedCluster = (member: ClusterMember) => member.isFirst && hasEncryption(member);
const hasFlannel = ({ plan }: ClusterMember) => plan.network.plugin === "flannel";
/** Builds a cluster without kubeadm, one component after the other, up to a rung. A higher rung only adds steps. */
const LADDER: StepList<LadderSteps, LadderCluster> = {
  ...preparation("kubelet leftovers"),
  "kubelet leftovers": { on: everyMachine, needs: ["kernel"], register: cleanUpAfter("kubelet") },
  bridge: { on: everyMachine, needs: ["packages", "kubelet leftovers"], register: installBridge },
  hello: { on: firstControlPlane, needs: [...PREPARED, "node images", "bridge"], register: runHelloPod },

  etcd: { on: firstControlPlane, from: "etcd", needs: PREPARED, register: runEtcd },
  etcdctl: { on: firstControlPlane, from: "etcd", needs: ["etcd"], register: (scope) => installTool(scope, "etcdctl") },

  "encryption keys": { on: encryptedCluster, from: "apiserver", register: createEncryptionKeys },
  "kube-apiserver": {
    on: firstControlPlane,
    from: "apiserver",
    needs: ["etcd"],
    register: (scope) =>
      runApiServer(scope, hasEncryption(scope.member) ? scope.resource("encryption keys").keys : undefined),
  },
  encryption: {
    on: encryptedCluster,
    from: "apiserver",
    needsCluster: ["admin kubeconfig", "etcdctl"],
    register: (scope) => encryptSecrets(scope, scope.resource("encryption keys").keys, LADDER_ENCRYPTION_FILE),
  },
  "admin kubeconfig": {
    on: firstControlPlane,
    from: "apiserver",
    needs: ["kube-apiserver"],
    register: writeAdminKubeconfig,
  },
  kubectl: {
    on: firstControlPlane,
    from: "apiserver",
    needs: ["admin kubeconfig"],
    register: (scope) => installTool(scope, "kubectl"),
  },
  "bootstrap bindings": { from: "apiserver", needsCluster: ["admin kubeconfig"], register: applyBootstrapBindings },
  "default service account": {
    from: "apiserver",
    until: "controllers",
    needsCluster: ["admin kubeconfig"],
    register: applyDefaultServiceAccount,
  },
  join: {
    on: everyMachine,
    from: "apiserver",
    needs: [...PREPARED, "kube-proxy leftovers", "flannel leftovers"],
    needsCluster: ["bootstrap bindings", "kube-controller-manager"], // The controller manager signs certificates.
    register: joinKubelet,
  },
  "kube-scheduler": { on: firstControlPlane, from: "scheduler", needs: ["kube-apiserver"], register: runScheduler },

  "kube-controller-manager": {
    on: firstControlPlane,
    from: "controllers",
    needs: ["kube-apiserver"],
    register: runControllerManager,
  },

  // Replaces the kubelet of another version, which must not be newer than the API server.
  "control plane node": {
    on: controlPlane,
    from: "apiserver",
    needs: ["join", "node images", "bridge", "kube-scheduler", "kube-controller-manager"],
    register: (scope) => addLadderNode(scope, scope.resource("join")),
  },
  "worker node": {
    on: (member) => !controlPlane(member),
    from: "apiserver",
    needs: ["join", "node images", "bridge"],
    needsCluster: ["control plane node"],
    register: (scope) => addLadderNode(scope, scope.resource("join")),
  },

  "kube-proxy leftovers": {
    on: everyMachine,
    from: "proxy",
    needs: PREPARED,
    register: cleanUpAfter("kube-proxy"),
  },
  "kube-proxy": {
    from: "proxy",
    needsCluster: ["kube-controller-manager", "kube-proxy leftovers", "node images"],
    register: applyProxy,
  },
  // Each node has the image of a new kube-proxy by then.
  "kube-proxy pods": {
    from: "proxy",
    needsCluster: ["kube-proxy", "control plane node", "worker node"],
    register: rollOutProxy,
  },

  "flannel leftovers": { on: hasFlannel, from: "dns", needs: PREPARED, register: cleanUpAfter("flannel") },
  "pod network": {
    on: (member) => hasFlannel(member) && member.isFirst,
    from: "dns",
    needsCluster: ["kube-apiserver", "kube-controller-manager", "flannel leftovers"],
    register: (scope) => applyPodNetwork(scope, { name: scope.context.plan.name, group: scope.context.group }),
  },
  "pod network pods": {
    on: (member) => hasFlannel(member) && member.isFirst,
    from: "dns",
    needsCluster: ["pod network", "control plane node", "worker node"],
    register: (scope) => rollOutPodNetwork(scope, scope.context.group),
  },
  coredns: {
    from: "dns",
    needsCluster: ["kube-controller-manager", "pod network", "control plane node", "worker node"],
    register: applyDns,
  },
  dns: { from: "dns", needsCluster: ["coredns"], register: (scope) => rollOutDns(scope, scope.context.group) },
};

export function buildByComponents(context: LadderCluster): BuiltCluster {
  const { plan, rung } = context;
  const endpoint = pulumi.output(singleEndpoint(plan.members[0]));
  const controlPlanes = controlPlaneConnections(plan);
  const runner = new StepRunner(LADDER, {
    members: plan.members,
    context,
    rung,
    handle: ({ resource }) => ({
      origin: resource("kube-apiserver"),
      caCertHash: context.pki.authority("cluster").hash,
      endpoint,
      controlPlanes,
    }),
  });
  runner.run();
  if (!runner.includes("kube-apiserver")) return { nodes: new Map() };
  const caCertHash = context.pki.authority("cluster").hash;
  return {
    access: { controlPlanes, caCertHash, after: [runner.resource("admin kubeconfig")] },
    nodes: new Map(
      plan.members.map((member) => [
        member.name,
        runner.resource(member.isControlPlane ? "control plane node" : "worker node", member),
      ]),
    ),
  };
}
