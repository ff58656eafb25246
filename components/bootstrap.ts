import * as pulumi from "@pulumi/pulumi";
import type { Binaries, Files, Firewall, Host, Hosts, Images, Kernel, Packages } from "../sdk/host";
import type { Leftovers, StaticPod, Unit } from "../sdk/host";
import type { KubeadmInit, KubeadmJoin, KubeletJoin, Manifests, Node, Preflight, Rollout } from "../sdk/kubernetes";
import type { ClusterAccess } from "../sdk/local";
import { applyBootstrapBindings, applyDefaultServiceAccount, applyDns, applyProxy } from "./ladder/add-ons";
import {
  runApiServer,
  runControllerManager,
  runEtcd,
  runScheduler,
  writeAdminKubeconfig,
} from "./ladder/control-plane";
import type { LadderCluster } from "./ladder/ladder-cluster";
import { addLadderNode, cleanUpAfter, installBridge, joinKubelet, runHelloPod } from "./ladder/node";
import { installRuntime } from "./steps/container-runtime";
import { rollOutDns, rollOutKubeadmDns } from "./steps/dns";
import { loadControlPlaneImages, loadNodeImages, runsControlPlanePods } from "./steps/images";
import { type KubeadmCluster, apiServerEndpoint, initCluster, joinControlPlane, joinWorker } from "./steps/kubeadm";
import { type ClusterMember, controlPlaneConnections } from "./steps/member";
import { addNode, installTool } from "./steps/node";
import * as prepare from "./steps/node-preparation";
import { applyPodNetwork } from "./steps/pod-network";
import { type Step, type StepList, StepRunner } from "./steps/step";

/**
 * What happens to the machines of a cluster, in order, and what each step needs. A step starts on a machine as soon
 * as the steps
 * that it needs are done; steps that do not need one another run in parallel, also on different machines.
 */

const everyMachine = () => true;
const firstControlPlane = ({ isFirst }: ClusterMember) => isFirst;
const otherControlPlanes = ({ isControlPlane, isFirst }: ClusterMember) => isControlPlane && !isFirst;
const workers = ({ isControlPlane }: ClusterMember) => !isControlPlane;
const hasFlannel = ({ plan }: ClusterMember) => plan.network.plugin === "flannel";

/** Steps that prepare a machine, whatever builds the cluster. */
interface PreparationSteps {
  facts: Host;
  preflight: Preflight;
  packages: Packages;
  binaries: Binaries;
  kernel: Kernel;
  runtime: Unit;
  guard: Unit;
  firewall: Firewall;
  "hosts file": Hosts;
  kubelet: Unit;
  "control plane images": Images;
  "node images": Images;
}

type PreparationList<More extends string> = {
  [Name in keyof PreparationSteps]: Step<PreparationSteps[Name], keyof PreparationSteps | More>;
};

/**
 * @param more Steps that are needed besides the usual ones: before the runtime and before the kubelet is installed.
 */
function preparation<More extends string = never>(
  more: { runtime?: readonly More[]; kubelet?: readonly (keyof PreparationSteps)[] } = {},
): PreparationList<More> {
  const { runtime = [], kubelet = [] } = more;
  const on = everyMachine;
  return {
    facts: { on, register: ({ member }) => member.host },
    preflight: { on, needs: ["facts"], register: ({ member }) => member.preflight },
    packages: { on, needs: ["preflight"], register: prepare.installPackages },
    binaries: { on, needs: ["preflight"], register: prepare.installBinaries },
    kernel: { on, needs: ["packages"], register: prepare.configureKernel },
    runtime: { on, needs: ["binaries", "kernel", "packages", ...runtime], register: installRuntime },
    guard: { on, needs: ["kernel"], register: prepare.installGuard },
    firewall: { on, needs: ["packages"], register: prepare.openFirewall },
    "hosts file": { on, needs: ["packages"], register: prepare.writeHosts },
    kubelet: { on, needs: ["binaries", "packages", "kernel", ...kubelet], register: prepare.installKubelet },
    "control plane images": { on: runsControlPlanePods, needs: ["runtime"], register: loadControlPlaneImages },
    "node images": { on, needs: ["runtime", "control plane images"], register: loadNodeImages },
  };
}

/** Steps that must be done on a machine before it can become a node. */
const PREPARED = [["control plane images", "node images"], "guard", "firewall", "kubelet"] as const;

interface KubeadmSteps extends PreparationSteps {
  init: KubeadmInit;
  "pod network": Manifests;
  "join control plane": KubeadmJoin;
  "join worker": KubeadmJoin;
  node: Node;
  kubectl: Binaries;
  dns: Rollout;
}

/** The step that makes the machine a node. */
function membershipStep(member: ClusterMember): "init" | "join control plane" | "join worker" {
  if (firstControlPlane(member)) return "init";
  return workers(member) ? "join worker" : "join control plane";
}

/** Builds a cluster with kubeadm. */
const KUBEADM: StepList<KubeadmSteps, KubeadmCluster> = {
  ...preparation(),
  init: { on: firstControlPlane, needs: PREPARED, register: initCluster },
  "pod network": { needsCluster: ["init"], register: (scope) => applyPodNetwork(scope, scope.context.controlPlane) },
  "join control plane": {
    on: otherControlPlanes,
    needs: PREPARED,
    needsCluster: ["init"],
    oneByOne: "node", // etcd accepts one new member at a time.
    register: joinControlPlane,
  },
  "join worker": { on: workers, needs: PREPARED, needsCluster: ["init"], register: joinWorker },
  node: {
    on: everyMachine,
    needs: [["init", "join control plane", "join worker"], "node images"],
    needsCluster: ["pod network"], // No node is Ready without it.
    register: (scope) => addNode(scope, { membership: scope.resource(membershipStep(scope.member)) }),
  },
  kubectl: { on: firstControlPlane, needs: ["node"], register: (scope) => installTool(scope, "kubectl") },
  dns: { needsCluster: ["pod network"], register: rollOutKubeadmDns },
};

interface LadderSteps extends PreparationSteps {
  "kubelet leftovers": Leftovers;
  "kube-proxy leftovers": Leftovers;
  "flannel leftovers": Leftovers;
  bridge: Unit;
  hello: StaticPod;
  etcd: pulumi.CustomResource;
  etcdctl: Binaries;
  "kube-apiserver": pulumi.CustomResource;
  "admin kubeconfig": Files;
  kubectl: Binaries;
  "kube-scheduler": pulumi.CustomResource;
  "kube-controller-manager": pulumi.CustomResource;
  "bootstrap bindings": Manifests;
  "default service account": Manifests;
  join: KubeletJoin;
  node: Node;
  "kube-proxy": Manifests;
  "pod network": Manifests;
  coredns: Manifests;
  dns: Rollout;
}

/** Builds a cluster without kubeadm, one component after the other, up to a rung. A higher rung only adds steps. */
const LADDER: StepList<LadderSteps, LadderCluster> = {
  ...preparation({ runtime: ["kubelet leftovers"], kubelet: ["runtime"] }),
  "kubelet leftovers": { on: everyMachine, needs: ["kernel"], register: cleanUpAfter("kubelet") },
  bridge: { on: everyMachine, needs: ["packages", "kubelet leftovers"], register: installBridge },
  hello: { on: firstControlPlane, needs: [...PREPARED, "node images", "bridge"], register: runHelloPod },

  etcd: { on: firstControlPlane, from: "etcd", needs: PREPARED, register: runEtcd },
  etcdctl: { on: firstControlPlane, from: "etcd", needs: ["etcd"], register: (scope) => installTool(scope, "etcdctl") },

  "kube-apiserver": { on: firstControlPlane, from: "apiserver", needs: ["etcd"], register: runApiServer },
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
  node: {
    on: everyMachine,
    from: "apiserver",
    needs: ["join", "node images", "bridge"],
    register: (scope) => addLadderNode(scope, scope.resource("join")),
  },

  "kube-scheduler": { on: firstControlPlane, from: "scheduler", needs: ["kube-apiserver"], register: runScheduler },

  "kube-controller-manager": {
    on: firstControlPlane,
    from: "controllers",
    needs: ["kube-apiserver"],
    register: runControllerManager,
  },

  "kube-proxy leftovers": {
    on: everyMachine,
    from: "proxy",
    needs: PREPARED,
    register: cleanUpAfter("kube-proxy"),
  },
  "kube-proxy": {
    from: "proxy",
    needsCluster: ["kube-controller-manager", "kube-proxy leftovers"],
    register: applyProxy,
  },

  "flannel leftovers": { on: hasFlannel, from: "dns", needs: PREPARED, register: cleanUpAfter("flannel") },
  "pod network": {
    on: (member) => hasFlannel(member) && member.isFirst,
    from: "dns",
    needsCluster: ["kube-apiserver", "kube-controller-manager", "flannel leftovers"],
    register: (scope) => applyPodNetwork(scope, { name: scope.context.plan.name, group: scope.context.group }),
  },
  coredns: { from: "dns", needsCluster: ["kube-controller-manager", "pod network"], register: applyDns },
  dns: { from: "dns", needsCluster: ["coredns"], register: (scope) => rollOutDns(scope, scope.context.group) },
};

/** What a bootstrap leaves to the `Cluster`. */
export interface BuiltCluster {
  /** Absent below the ladder's rung `apiserver`. */
  access?: ClusterAccess;
  /** Nodes by machine name. */
  nodes: ReadonlyMap<string, Node>;
}

export function buildWithKubeadm(context: KubeadmCluster): BuiltCluster {
  const { plan } = context;
  const endpoint = apiServerEndpoint(plan.members[0]);
  const controlPlanes = controlPlaneConnections(plan);
  const runner = new StepRunner(KUBEADM, {
    members: plan.members,
    context,
    handle: ({ resource }) => {
      const init = resource("init");
      return { origin: init, caCertHash: init.caCertHash, endpoint, controlPlanes };
    },
  });
  runner.run();
  const init = runner.resource("init");
  return {
    access: { controlPlanes, caCertHash: init.caCertHash, after: [init] },
    nodes: new Map(plan.members.map((member) => [member.name, runner.resource("node", member)])),
  };
}

export function buildByComponents(context: LadderCluster): BuiltCluster {
  const { plan, rung } = context;
  const endpoint = pulumi.output(apiServerEndpoint(plan.members[0]));
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
    nodes: new Map(plan.members.map((member) => [member.name, runner.resource("node", member)])),
  };
}
