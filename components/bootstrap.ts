import type { CustomResource } from "@pulumi/pulumi";
import { apiEndpoint } from "../render/api-balancer";
import { ENCRYPTION_FILE } from "../render/encryption";
import type { Node } from "../sdk/kubernetes";
import type { ClusterAccess } from "../sdk/local";
import type { KubeadmSteps } from "./bootstrap-resources";
import { PREPARED, preparation } from "./preparation";
import type { CommandPhase } from "./nodes/commands";
import { installApiBalancer } from "./steps/api-balancer";
import { hasVirtualAddress, installVirtualAddress } from "./steps/api-vip";
import { hasApiServerFiles, writeApiServerFiles } from "./steps/api-server-files";
import {
  giveBackupAccess,
  hasBackupTimer,
  hasDrillTimer,
  installBackupTimer,
  installDrillTimer,
} from "./steps/backup-timer";
import { installRenewal } from "./steps/certificates-timer";
import { addCommands, hasCommands } from "./steps/commands";
import { rollOutKubeadmDns } from "./steps/dns";
import { createEncryptionKeys, encryptSecrets, hasEncryption, writeEncryptionFile } from "./steps/encryption";
import { clientEndpoints, loadBalancerOf } from "./steps/endpoint";
import {
  type KubeadmCluster,
  configureControlPlane,
  controlPlaneMembership,
  initCluster,
  joinControlPlane,
  joinWorker,
  upgradeAddOns,
  uploadConfiguration,
  useEndpoint,
} from "./steps/kubeadm";
import { hasServingCertificates, hasVerifiedKubelets, installApprover, verifyKubelets } from "./steps/kubelet-serving";
import { type ClusterMember, controlPlaneConnections } from "./steps/member";
import { addNode, installTool, type NodeOptions } from "./steps/node";
import { writeHosts } from "./steps/node-preparation";
import { applyPodNetwork, rollOutPodNetwork } from "./steps/pod-network";
import { type Scope, type StepList, StepRunner } from "./steps/step";

/**
 * What happens to the machines of a cluster, in order, and what each step needs. A step starts on a machine as soon
 * as the steps that it needs are done; steps that do not need one another run in parallel, also on different machines.
 * `bootstrap-ladder.ts` has the steps of a cluster that is built by components.
 */

const everyMachine = () => true;
const everyControlPlane = ({ isControlPlane }: ClusterMember) => isControlPlane;
const firstControlPlane = ({ isFirst }: ClusterMember) => isFirst;
const otherControlPlanes = ({ isControlPlane, isFirst }: ClusterMember) => isControlPlane && !isFirst;
const workers = ({ isControlPlane }: ClusterMember) => !isControlPlane;
const encryptedControlPlane = (member: ClusterMember) => member.isControlPlane && hasEncryption(member);
const encryptedCluster = (member: ClusterMember) => member.isFirst && hasEncryption(member);

const approvingControlPlane = (member: ClusterMember) => member.isControlPlane && hasServingCertificates(member);

const BALANCED = [...PREPARED, "api balancer"] as const;
/** Files without which the API server does not start. */
const API_SERVER_FILES = ["encryption file", "api server files"] as const;

/** The step that makes the machine a node. */
function membershipStep(member: ClusterMember): "first control plane" | "join control plane" | "join worker" {
  if (firstControlPlane(member)) return "first control plane";
  return workers(member) ? "join worker" : "join control plane";
}

function membershipOf({
  member,
  resource,
}: Scope<KubeadmSteps, KubeadmCluster>): Pick<NodeOptions, "membership" | "restoredFrom"> {
  const [join, init] = [resource(membershipStep(member)), resource("init")];
  const { restoredFrom } = init;
  return { membership: workers(member) ? join.id : controlPlaneMembership(init, join), restoredFrom };
}

function runCommands(phase: CommandPhase) {
  return (scope: Scope<KubeadmSteps, KubeadmCluster>) => addCommands(phase, scope, scope.resource("worker node"));
}

/** Builds a cluster with kubeadm. */
const KUBEADM: StepList<KubeadmSteps, KubeadmCluster> = {
  ...preparation(),
  "api balancer": { on: everyMachine, needs: ["packages"], register: installApiBalancer },
  // Both write /etc/hosts: one after the other, so that no line is lost.
  "hosts file": { on: everyMachine, needs: ["packages", "api balancer"], register: writeHosts },
  "encryption keys": { on: encryptedCluster, register: createEncryptionKeys },
  "encryption file": {
    on: encryptedControlPlane,
    needs: ["packages"],
    register: (scope) => writeEncryptionFile(scope, scope.resource("encryption keys").keys),
  },
  "api server files": {
    on: (member) => member.isControlPlane && hasApiServerFiles(member),
    needs: ["packages"],
    register: writeApiServerFiles,
  },
  init: { on: firstControlPlane, needs: [...BALANCED, ...API_SERVER_FILES], register: initCluster },
  "pod network": { needsCluster: ["init"], register: (scope) => applyPodNetwork(scope, scope.context.controlPlane) },
  // A member already, unless its machine was rebuilt: then it joins through the other control planes.
  "first control plane": { on: firstControlPlane, needs: [...BALANCED, "init"], register: joinControlPlane },
  "control plane": {
    on: everyControlPlane,
    needs: [["first control plane", "join control plane"], ...API_SERVER_FILES],
    // A change, and then the kubelet, must prove healthy on one control plane before it reaches the next.
    oneByOne: "control plane node",
    register: configureControlPlane,
  },
  // The control planes that exist must know the keys before another one writes with them.
  encryption: {
    on: encryptedCluster,
    needsCluster: ["encryption file", "control plane", "kubeadm config"],
    register: (scope) => encryptSecrets(scope, scope.resource("encryption keys").keys, ENCRYPTION_FILE),
  },
  "kubeadm config": { needs: ["control plane"], register: uploadConfiguration },
  "join control plane": {
    on: otherControlPlanes,
    needs: [...BALANCED, ...API_SERVER_FILES],
    // A joining control plane takes its flags from there. The first one must elect leaders before the second runs. It
    // writes Secrets with the newest key, which the other control planes must know.
    needsCluster: ["init", "kubeadm config", "encryption file"],
    oneByOne: "control plane node", // etcd accepts one new member at a time.
    register: joinControlPlane,
  },
  "join worker": { on: workers, needs: BALANCED, needsCluster: ["init"], register: joinWorker },
  "api vip": {
    on: hasVirtualAddress,
    needs: ["packages", "control plane"],
    oneByOne: "api vip", // An address that another machine has is refused on the first one.
    register: installVirtualAddress,
  },
  // Replaces the kubelet of another version, which must not be newer than the API server.
  "control plane node": {
    on: everyControlPlane,
    needs: [["first control plane", "join control plane"], "control plane", "node images"],
    needsCluster: ["pod network"], // No node is Ready without it.
    register: (scope) => addNode(scope, membershipOf(scope)),
  },
  "worker node": {
    on: workers,
    needs: ["join worker", "node images"],
    needsCluster: ["pod network", "control plane node"],
    register: (scope) => addNode(scope, membershipOf(scope)),
  },
  // Commands of the user's own. The engine deletes them before the node, which is drained when it is deleted.
  "after join": { on: hasCommands("afterJoin"), needs: ["worker node"], register: runCommands("afterJoin") },
  "before drain": { on: hasCommands("beforeDrain"), needs: ["worker node"], register: runCommands("beforeDrain") },
  "after upgrade": { on: hasCommands("afterUpgrade"), needs: ["worker node"], register: runCommands("afterUpgrade") },
  // In an existing cluster, pods may use the balancers only once all nodes have them.
  "api endpoint": {
    needsCluster: ["api balancer", "control plane", "kubeadm config", "join worker", "node images", "pod network"],
    register: useEndpoint,
  },
  // Kubelets work with an older kube-proxy. Its images are on every node by then.
  "add-ons": { needsCluster: ["control plane node", "worker node", "dns"], register: upgradeAddOns },
  // Each node has the image of a new flannel by then.
  "pod network pods": {
    needsCluster: ["pod network", "control plane node", "worker node"],
    register: (scope) => rollOutPodNetwork(scope, scope.member.plan.cluster),
  },
  // The timers of the control planes use it.
  kubectl: {
    on: everyControlPlane,
    needs: ["control plane node"],
    register: (scope) => installTool(scope, "kubectl"),
  },
  // Approves requests with kubectl. Those of new nodes are approved by their own steps.
  "kubelet approver": { on: approvingControlPlane, needs: ["kubectl"], register: installApprover },
  // Renews the certificates that end between two runs.
  "certificates timer": { on: everyControlPlane, needs: ["kubectl"], register: installRenewal },
  "backup access": {
    on: hasBackupTimer,
    needs: ["control plane node"],
    oneByOne: "backup access", // The first one creates the repository, which two must not do at the same time.
    register: giveBackupAccess,
  },
  // Needs the access, so that the timer is removed first.
  "backup timer": { on: hasBackupTimer, needs: ["kubectl", "backup access"], register: installBackupTimer },
  "drill timer": { on: hasDrillTimer, needs: ["backup timer"], register: installDrillTimer },
  "kubelet authority": {
    on: (member) => firstControlPlane(member) && hasVerifiedKubelets(member),
    needsCluster: ["control plane node", "worker node", "kubelet approver"],
    register: verifyKubelets,
  },
  dns: { needsCluster: ["pod network"], register: rollOutKubeadmDns },
};

/** What a bootstrap leaves to the `Cluster`. */
export interface BuiltCluster {
  /** Absent below the ladder's rung `apiserver`. */
  access?: ClusterAccess;
  /** Nodes by machine name. */
  nodes: ReadonlyMap<string, Node>;
  /** What must exist before the next node of a rolling update changes, where that is more than the node. */
  afterJoin?: ReadonlyMap<string, CustomResource>;
}

export function buildWithKubeadm(context: KubeadmCluster): BuiltCluster {
  const { plan } = context;
  const endpoint = apiEndpoint(plan.name);
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
    // The administrator's kubeconfig is read from the first control plane, which renews its certificate.
    access: {
      controlPlanes,
      endpoints: clientEndpoints(plan),
      caCertHash: init.caCertHash,
      restoredFrom: init.restoredFrom,
      // A kubeconfig must not name an address that nothing answers at.
      after: [init, ...runner.resources("api vip"), ...(loadBalancerOf(plan)?.after ?? [])],
      renewedBy: [runner.resource("control plane")],
    },
    nodes: new Map(
      plan.members.map((member) => [
        member.name,
        runner.resource(member.isControlPlane ? "control plane node" : "worker node", member),
      ]),
    ),
    afterJoin: new Map(
      plan.members
        .filter(hasCommands("afterJoin"))
        .map((member) => [member.name, runner.resource("after join", member)]),
    ),
  };
}
