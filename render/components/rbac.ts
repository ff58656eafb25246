import { clusterRoleBinding, type KubernetesObject } from "../object";
import { KUBELET_CLIENT } from "./pki";

/** The group of our join tokens; kubeadm's name for it. */
export const BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token";

/** What kubeadm binds too: the roles themselves come with the API server. */
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
 * Without a controller manager nobody makes the ServiceAccount that a pod is given, nor a token for it: so it is written, and pods are
 * told to do without the token.
 */
export function defaultServiceAccount(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
    automountServiceAccountToken: false,
  };
}
