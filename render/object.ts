/** An object of the Kubernetes API, as JSON. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [member: string]: unknown;
}

export type Subject =
  { kind: "ServiceAccount"; name: string; namespace: string } | { kind: "User" | "Group"; name: string };

const RBAC = "rbac.authorization.k8s.io";

export function clusterRole(name: string, rules: readonly object[]): KubernetesObject {
  return { apiVersion: `${RBAC}/v1`, kind: "ClusterRole", metadata: { name }, rules };
}

/** Binds a ClusterRole to a subject. */
export function clusterRoleBinding(name: string, role: string, subject: Subject): KubernetesObject {
  const reference = subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: RBAC };
  return {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
    subjects: [reference],
  };
}

/** Returns objects by kind and name, so that a diff shows which one changed. */
export function byName(objects: readonly KubernetesObject[]): Record<string, KubernetesObject> {
  return Object.fromEntries(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
}
