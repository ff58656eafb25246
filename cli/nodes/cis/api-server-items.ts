import { type CisSection, SERVING_OPTION } from "./item";
import {
  all,
  type Condition,
  encryption,
  equals,
  excludes,
  flag,
  hasStrongCiphers,
  includes,
  isAbsent,
  isAtLeast,
  isSet,
  type Probe,
} from "./probes";

const api = (name: string, condition: Condition): Probe => flag("kube-apiserver", name, condition);

export const API_SERVER: CisSection = {
  title: "API server (1.2)",
  items: [
    {
      item: "`--anonymous-auth=false`",
      state:
        "not passed with kubeadm: `kubeadm join` and health checks need anonymous requests. With " +
        "`bootstrap: components` they are allowed for health checks only",
      expected: "open",
      probe: api("anonymous-auth", equals("false")),
    },
    {
      item: "`--token-auth-file` is not set",
      state: "passed; an option of the ladder (`auth.staticTokens`)",
      expected: "passed",
      probe: api("token-auth-file", isAbsent),
    },
    {
      item: "`--kubelet-client-certificate`, `--kubelet-client-key`",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(api("kubelet-client-certificate", isSet), api("kubelet-client-key", isSet)),
    },
    {
      item: "`--kubelet-certificate-authority`",
      state: `by an option: ${SERVING_OPTION}`,
      expected: "option",
      probe: api("kubelet-certificate-authority", isSet),
    },
    {
      item: "`--authorization-mode` is `Node,RBAC`",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: api("authorization-mode", includes("Node", "RBAC")),
    },
    {
      item: "`NodeRestriction`; `ServiceAccount` and `NamespaceLifecycle` are not disabled; no `AlwaysAdmit`",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(
        api("enable-admission-plugins", includes("NodeRestriction")),
        api("enable-admission-plugins", excludes("AlwaysAdmit")),
        api("disable-admission-plugins", excludes("ServiceAccount", "NamespaceLifecycle")),
      ),
    },
    {
      item: "`EventRateLimit`, `AlwaysPullImages`",
      state:
        "not set: the first needs limits that depend on your workload, the second would make each start of a pod " +
        "depend on a registry",
      expected: "open",
      probe: api("enable-admission-plugins", includes("EventRateLimit", "AlwaysPullImages")),
    },
    {
      item: "`--profiling=false`",
      state: "passed (set)",
      expected: "passed",
      probe: api("profiling", equals("false")),
    },
    {
      item: "audit log: `--audit-log-path`, `-maxage` 30, `-maxbackup` 10, `-maxsize` 100, and a policy (3.2)",
      state: "by an option: [`security.audit`](#write-an-audit-log)",
      expected: "option",
      probe: all(
        ...["audit-log-path", "audit-policy-file"].map((name) => api(name, isSet)),
        ...[30, 10, 100].map((least, index) =>
          api(["audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"][index] ?? "", isAtLeast(least)),
        ),
      ),
    },
    {
      item: "`--service-account-key-file`, etcd's and serving certificates, `--client-ca-file`",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(
        ...[
          ...["service-account-key-file", "etcd-certfile", "etcd-keyfile", "etcd-cafile"],
          ...["tls-cert-file", "tls-private-key-file", "client-ca-file"],
        ].map((name) => api(name, isSet)),
      ),
    },
    {
      item: "`--encryption-provider-config`, with a strong provider",
      state: "by an option: [`security.encryption`](#encrypt-secrets-in-etcd), which new clusters get",
      expected: "option",
      probe: encryption,
    },
    {
      item: "strong TLS ciphers",
      state: "passed (set): TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3",
      expected: "passed",
      probe: all(api("tls-cipher-suites", hasStrongCiphers), api("tls-min-version", equals("VersionTLS12"))),
    },
  ],
};
