import type * as pulumi from "@pulumi/pulumi";
import type { CustomResource } from "@pulumi/pulumi";
import type { Binaries, Files, Leftovers, StaticPod, Unit } from "../sdk/host";
import type {
  AddOns,
  ApiServerFiles,
  ClusterConfiguration,
  ControlPlane,
  DaemonSetRollout,
  Encryption,
  BackupAccess,
  EncryptionFile,
  KubeadmEndpoint,
  KubeletAuthority,
} from "../sdk/kubernetes";
import type { KubeadmInit, KubeadmJoin, KubeletJoin, Manifests, Node, Rollout } from "../sdk/kubernetes";
import type { EncryptionKeys } from "../sdk/pki";
import type { PreparationSteps } from "./preparation";

/** The resources that the steps with kubeadm register, by step. */
export interface KubeadmSteps extends PreparationSteps {
  "api balancer": Unit;
  "api vip": Unit;
  "api endpoint": KubeadmEndpoint;
  "api server files": ApiServerFiles;
  "encryption keys": EncryptionKeys;
  "encryption file": EncryptionFile;
  encryption: Encryption;
  init: KubeadmInit;
  "pod network": Manifests;
  "pod network pods": DaemonSetRollout;
  "control plane": ControlPlane;
  "kubeadm config": ClusterConfiguration;
  "first control plane": KubeadmJoin;
  "join control plane": KubeadmJoin;
  "join worker": KubeadmJoin;
  "control plane node": Node;
  "worker node": Node;
  "after join": CustomResource;
  "before drain": CustomResource;
  "after upgrade": CustomResource;
  "add-ons": AddOns;
  kubectl: Binaries;
  "kubelet approver": Unit;
  "certificates timer": Unit;
  "backup access": BackupAccess;
  "backup timer": Unit;
  "drill timer": Unit;
  "kubelet authority": KubeletAuthority;
  dns: Rollout;
}

/** The resources that the steps of the ladder register, by step. */
export interface LadderSteps extends PreparationSteps {
  "kubelet leftovers": Leftovers;
  "kube-proxy leftovers": Leftovers;
  "flannel leftovers": Leftovers;
  bridge: Unit;
  hello: StaticPod;
  etcd: pulumi.CustomResource;
  etcdctl: Binaries;
  "kube-apiserver": pulumi.CustomResource;
  "encryption keys": EncryptionKeys;
  encryption: Encryption;
  "admin kubeconfig": Files;
  kubectl: Binaries;
  "kube-scheduler": pulumi.CustomResource;
  "kube-controller-manager": pulumi.CustomResource;
  "bootstrap bindings": Manifests;
  "default service account": Manifests;
  join: KubeletJoin;
  "control plane node": Node;
  "worker node": Node;
  "kube-proxy": Manifests;
  "kube-proxy pods": DaemonSetRollout;
  "pod network": Manifests;
  "pod network pods": DaemonSetRollout;
  coredns: Manifests;
  dns: Rollout;
}
