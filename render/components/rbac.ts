import { clusterRoleBinding, type KubernetesObject } from "../object";
import { KUBELET_CLIENT } from "./pki";

/** The group of join tokens, with kubeadm's name. */
export const BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token";

/**
 * Returns the role bindings for joining kubelets, as kubeadm creates them. The roles themselves are built into the API
 * server.
 */
export function bootstrapBindings(): KubernetesObject[] {
  const csr = "system:certificates.k8s.io:certificatesigningrequests";
  return [
    clusterRoleBinding("kubewright:kubelet-api-admin", "system:kubelet-api-admin", {
      kind: "User",
      name: KUBELET_CLIENT,
    }),
    clusterRoleBinding("kubewright:node-bootstrapper", "system:node-bootstrapper", {
      kind: "Group",
      name: BOOTSTRAPPERS,
    }),
    clusterRoleBinding("kubewright:node-autoapprove-bootstrap", `${csr}:nodeclient`, {
      kind: "Group",
      name: BOOTSTRAPPERS,
    }),
    clusterRoleBinding("kubewright:node-autoapprove-certificate-rotation", `${csr}:selfnodeclient`, {
      kind: "Group",
      name: "system:nodes",
    }),
  ];
}

/**
 * Returns the default ServiceAccount, which no controller creates before there is a controller manager. It mounts no
 * token, because none is issued then.
 */
export function defaultServiceAccount(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
    automountServiceAccountToken: false,
  };
}
