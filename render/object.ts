/** An object of the Kubernetes API as plain JSON. */
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

/** Gives the subject a ClusterRole. */
export function clusterRoleBinding(name: string, role: string, subject: Subject): KubernetesObject {
  const who = subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: RBAC };
  return {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
    subjects: [who],
  };
}

/** Objects by a name that says in a diff which one changed. */
export function byName(objects: readonly KubernetesObject[]): Record<string, KubernetesObject> {
  return Object.fromEntries(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
}
