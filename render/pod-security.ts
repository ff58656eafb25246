import { yamlText } from "./json";

/** Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const POD_SECURITY_LEVELS = ["privileged", "baseline", "restricted"] as const;
export type PodSecurityLevel = (typeof POD_SECURITY_LEVELS)[number];

/** The Pod Security Standard of namespaces that have no label of their own. */
export interface PodSecurity {
  enforce: PodSecurityLevel;
  warn: PodSecurityLevel;
  audit: PodSecurityLevel;
  exemptNamespaces: readonly string[];
}

/** The components of the cluster have host networks and privileged containers. */
const EXEMPT = "kube-system";

/**
 * Renders the configuration of admission that sets the level of the whole cluster. A namespace's own labels override
 * it.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/
 */
export function admissionConfiguration({ enforce, warn, audit, exemptNamespaces }: PodSecurity): string {
  const version = "latest";
  return yamlText({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AdmissionConfiguration",
    plugins: [
      {
        name: "PodSecurity",
        configuration: {
          apiVersion: "pod-security.admission.config.k8s.io/v1",
          kind: "PodSecurityConfiguration",
          defaults: {
            enforce,
            "enforce-version": version,
            audit,
            "audit-version": version,
            warn,
            "warn-version": version,
          },
          exemptions: {
            usernames: [],
            runtimeClasses: [],
            namespaces: [...new Set([EXEMPT, ...exemptNamespaces])],
          },
        },
      },
    ],
  });
}
