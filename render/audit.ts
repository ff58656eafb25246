import { yamlText } from "./json";

/** How much of a request the audit log has. Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
export const AUDIT_LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;

/** A rule of an audit policy. The first rule that matches a request decides. */
export interface AuditRule {
  level: (typeof AUDIT_LEVELS)[number];
  users?: string[] | undefined;
  userGroups?: string[] | undefined;
  verbs?: string[] | undefined;
  resources?: { group?: string; resources?: string[] | undefined; resourceNames?: string[] | undefined }[] | undefined;
  namespaces?: string[] | undefined;
  nonResourceURLs?: string[] | undefined;
  omitManagedFields?: boolean | undefined;
}

/** An audit log of the API servers. */
export interface Audit {
  /** @default DEFAULT_RULES */
  rules?: readonly AuditRule[] | undefined;
  maxAgeDays: number;
  maxFiles: number;
  maxMegabytes: number;
}

export const AUDIT_FOLDER = "/var/log/kubernetes/audit";

const READS = ["get", "list", "watch"];
const CHANGES = ["create", "update", "patch", "delete", "deletecollection"];

/**
 * Kubewright's audit policy: who did what, without the content of Secrets, and without the requests by which the
 * cluster's own components read. Content is recorded only of changes of permissions and of admission.
 */
export const DEFAULT_RULES: readonly AuditRule[] = [
  {
    level: "None",
    nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/metrics", "/openapi*"],
  },
  {
    level: "None",
    resources: [
      { group: "", resources: ["events"] },
      { group: "events.k8s.io", resources: ["events"] },
      { group: "coordination.k8s.io", resources: ["leases"] },
    ],
  },
  // Their content is secret, so all requests have metadata only, also those of the cluster's components.
  {
    level: "Metadata",
    resources: [
      { group: "", resources: ["secrets", "configmaps", "serviceaccounts/token"] },
      { group: "authentication.k8s.io", resources: ["tokenreviews"] },
    ],
  },
  {
    level: "None",
    users: ["system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy", "system:apiserver"],
    verbs: READS,
  },
  { level: "None", userGroups: ["system:nodes", "system:serviceaccounts:kube-system"], verbs: READS },
  {
    level: "Request",
    verbs: CHANGES,
    resources: [{ group: "rbac.authorization.k8s.io" }, { group: "admissionregistration.k8s.io" }],
    omitManagedFields: true,
  },
  { level: "Metadata" },
];

/** Renders the policy, which has one event for each request. */
export function auditPolicy({ rules = DEFAULT_RULES }: Audit): string {
  return yamlText({ apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules });
}

/** Returns the API server's flags for the log. Events are written in batches, so that no request waits for the disk. */
export function auditFlags({ maxAgeDays, maxFiles, maxMegabytes }: Audit, policy: string): Record<string, string> {
  return {
    "audit-policy-file": policy,
    "audit-log-path": `${AUDIT_FOLDER}/audit.log`,
    "audit-log-mode": "batch",
    "audit-log-maxage": String(maxAgeDays),
    "audit-log-maxbackup": String(maxFiles),
    "audit-log-maxsize": String(maxMegabytes),
  };
}
