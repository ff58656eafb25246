import { z } from "zod";
import type { ApiServerSettings } from "../../render/api-server-files";
import { AUDIT_LEVELS } from "../../render/audit";
import { ENCRYPTION_PROVIDERS, type EncryptionProvider } from "../../render/encryption";
import { CERTIFICATE_KEYS, type CertificateKeys } from "../../render/kubeadm-types";
import { KUBELET_SERVING, type KubeletServing } from "../../render/kubelet-serving";
import { POD_SECURITY_LEVELS, type PodSecurity } from "../../render/pod-security";
import { strict } from "../fields/fields";
import { complaint } from "../fields/problems";
import { oidcIssuers } from "./oidc";

/** Encryption of the Secrets in etcd. */
const encryption = strict({
  /**
   * How the API servers store Secrets in etcd: encrypted by `secretbox` or `aesgcm`, or with `off` as plain text. On a
   * cluster whose Secrets are encrypted, `off` is refused: `identity` stores them as plain text again. `npm start`
   * writes `secretbox` to the configuration of a new cluster that kubeadm builds.
   */
  provider: z.enum([...ENCRYPTION_PROVIDERS, "off"]).default("off"),
  /** A higher number adds a key and encrypts all Secrets with it. */
  keyGeneration: z.int().min(1).default(1),
});

const texts = z.array(z.string().min(1)).min(1).optional();

const auditRule = strict({
  /** What the log has of a matching request: nothing, who did what, also the request, or also the response. */
  level: z.enum(AUDIT_LEVELS),
  /** Names of users. */
  users: texts,
  /** Groups of users. */
  userGroups: texts,
  /** Verbs, such as `create`. */
  verbs: texts,
  /** Kinds of objects, by their API group. */
  resources: z
    .array(
      strict({
        /** API group; the core group is empty. */
        group: z.string().default(""),
        /** Resources such as `pods` and `pods/exec`. @default all of the group */
        resources: texts,
        /** Names of objects. */
        resourceNames: texts,
      }),
    )
    .min(1)
    .optional(),
  /** Namespaces. */
  namespaces: texts,
  /** Paths of the API that are no objects, such as `/metrics`. */
  nonResourceURLs: z
    .array(
      z
        .string()
        .regex(/^(\*|\/[^*]*\*?)$/, complaint("is no path of the API", "write a path such as /metrics or /api*")),
    )
    .min(1)
    .optional(),
  /** Leaves the managed fields out. */
  omitManagedFields: z.boolean().optional(),
}).refine(
  ({ resources, namespaces, nonResourceURLs }) => !nonResourceURLs || (!resources && !namespaces),
  complaint("has both objects and nonResourceURLs, which the API server refuses", "write two rules"),
);

/** The audit log of the API servers. */
const audit = strict({
  /** Whether every API server writes an audit log to /var/log/kubernetes/audit. */
  enabled: z.boolean().default(false),
  /** Rules of the audit policy. The first one that matches a request decides. @default docs/hardening.md */
  rules: z.array(auditRule).min(1).optional(),
  /** Days after which a file is deleted. */
  maxAgeDays: z.int().min(1).default(30),
  /** Number of files that are kept besides the current one. */
  maxFiles: z.int().min(1).default(10),
  /** Megabytes after which a new file begins. */
  maxMegabytes: z.int().min(1).default(100),
});

const level = z.enum(POD_SECURITY_LEVELS);

/** The Pod Security Standard of the namespaces that have no label of their own. */
const podSecurity = strict({
  /** Pods that violate it are refused. */
  enforce: level.default("privileged"),
  /** The creator of a pod that violates it gets a warning. @default that of `enforce` */
  warn: level.optional(),
  /** The audit log marks a pod that violates it. @default that of `enforce` */
  audit: level.optional(),
  /** Namespaces whose pods are not checked. `kube-system` is always one of them. */
  exemptNamespaces: z
    .array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a namespace"))
    .default([]),
});

/** What protects a cluster beyond its defaults. */
export const securityFields = {
  /** Encryption of the Secrets in etcd (docs/hardening.md). */
  encryption: encryption.prefault({}),
  /** The audit log of the API servers of kubeadm (docs/hardening.md). */
  audit: audit.prefault({}),
  /** The Pod Security Standard of a cluster of kubeadm (docs/hardening.md). */
  podSecurity: podSecurity.prefault({}),
  /** Issuers of ID tokens with which users log in at the API servers, by OpenID Connect (docs/hardening.md). */
  oidc: oidcIssuers,
  /**
   * The certificates that kubelets serve, for `kubectl logs` and `kubectl exec` (docs/certificates.md). `cluster`: the
   * cluster's CA signs them, and the API servers verify them. `unverified`: the API servers do not verify them.
   * `self-signed`: each kubelet issues its own. To return from `cluster` to `self-signed`, apply `unverified` first.
   * `npm start` writes `cluster` to the configuration of a new cluster that kubeadm builds.
   */
  kubeletServingCertificates: z.enum(KUBELET_SERVING).default("self-signed"),
  /**
   * Algorithm of the keys that kubeadm creates for certificates (docs/certificates.md). After a change, each
   * certificate gets its new key when it is renewed. `npm start` writes `ECDSA-P256` to the configuration of a new
   * cluster that kubeadm builds.
   */
  certificateKeys: z.enum(CERTIFICATE_KEYS).default("RSA-2048"),
};

const securitySchema = strict(securityFields);

/** What protects a cluster beyond its defaults. Each property has its own default. */
export type SecuritySettings = z.input<typeof securitySchema>;

/** Settings of the control planes that protect the cluster, with every default filled in. */
export interface Security {
  /** How Secrets are encrypted in etcd, if they are. */
  encryption?: { provider: EncryptionProvider; generation: number } | undefined;
  apiServer: ApiServerSettings;
  kubeletServing: KubeletServing;
  /** Absent with kubeadm's default, RSA-2048. */
  certificateKeys?: CertificateKeys | undefined;
}

/** Fills in the defaults. */
export function securityOf(settings: SecuritySettings = {}): Security {
  const all = securitySchema.parse(settings);
  const { provider, keyGeneration: generation } = all.encryption;
  return {
    encryption: provider === "off" ? undefined : { provider, generation },
    apiServer: {
      audit: all.audit.enabled ? all.audit : undefined,
      podSecurity: levelsOf(all.podSecurity),
      oidc: all.oidc,
    },
    kubeletServing: all.kubeletServingCertificates,
    certificateKeys: all.certificateKeys === "RSA-2048" ? undefined : all.certificateKeys,
  };
}

/** Kubernetes itself allows everything: then there is nothing to configure. */
function levelsOf({ enforce, exemptNamespaces, ...levels }: z.output<typeof podSecurity>): PodSecurity | undefined {
  const { warn = enforce, audit: marked = enforce } = levels;
  if ([enforce, warn, marked].every((one) => one === "privileged")) return undefined;
  return { enforce, warn, audit: marked, exemptNamespaces };
}
