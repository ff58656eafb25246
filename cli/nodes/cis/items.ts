import { API_SERVER } from "./api-server-items";
import { type CisSection, SERVING_OPTION } from "./item";
import {
  all,
  type Condition,
  equals,
  excludes,
  files,
  flag,
  hasStrongCiphers,
  isSet,
  kubelet,
  ownCertificateAuthority,
  type Probe,
} from "./probes";

const manager = (name: string, condition: Condition): Probe => flag("kube-controller-manager", name, condition);
const etcd = (name: string, condition: Condition): Probe => flag("etcd", name, condition);

const FILES: CisSection = {
  title: "Files (1.1, 4.1)",
  items: [
    {
      item: "manifests, kubeconfigs and private keys: mode 600, root",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: files(/^\/etc\/kubernetes\/(manifests\/.*\.yaml|[^/]*\.conf|pki\/.*\.key)$/, "600"),
    },
    {
      item: "certificates: mode 600",
      state: "not passed: kubeadm writes 644. Certificates are not secret",
      expected: "open",
      probe: files(/^\/etc\/kubernetes\/pki\/.*\.crt$/, "600"),
    },
    {
      item: "kubelet: flags and configuration, mode 600",
      state:
        "passed (set). kubeadm writes 644, so the kubelet's unit closes the files before each start. The unit itself " +
        "has no secret",
      expected: "passed",
      probe: files(
        /^\/(var\/lib\/kubelet\/(config\.yaml|kubeadm-flags\.env)|etc\/kubernetes\/kubelet\.conf\.d\/.*)$/,
        "600",
      ),
    },
    {
      item: "CNI configuration: mode 600",
      state: "not passed: flannel writes 644. The file has no secret",
      expected: "open",
      probe: files(/^\/etc\/cni\/net\.d\/.*$/, "600"),
    },
    {
      item: "etcd's data: mode 700",
      state: "passed for `/var/lib/etcd/member` (etcd). `/var/lib/etcd` itself is 755 on local machines",
      expected: "passed",
      probe: files(/^\/var\/lib\/etcd\/member$/, "700"),
    },
  ],
};

const MANAGERS: CisSection = {
  title: "Controller manager and scheduler (1.3, 1.4)",
  items: [
    {
      item: "`--profiling=false`",
      state: "passed (set)",
      expected: "passed",
      probe: all(manager("profiling", equals("false")), flag("kube-scheduler", "profiling", equals("false"))),
    },
    {
      item:
        "`--bind-address=127.0.0.1`, `--use-service-account-credentials`, `--service-account-private-key-file`, " +
        "`--root-ca-file`",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(
        manager("bind-address", equals("127.0.0.1")),
        flag("kube-scheduler", "bind-address", equals("127.0.0.1")),
        manager("use-service-account-credentials", equals("true")),
        manager("service-account-private-key-file", isSet),
        manager("root-ca-file", isSet),
      ),
    },
    {
      item: "`--terminated-pod-gc-threshold`",
      state: "Kubernetes' default of 12,500",
      expected: "open",
      probe: manager("terminated-pod-gc-threshold", isSet),
    },
    {
      item: "`RotateKubeletServerCertificate`",
      state: "Kubernetes' default: on",
      expected: "passed",
      probe: manager("feature-gates", excludes("RotateKubeletServerCertificate=false")),
    },
  ],
};

const ETCD: CisSection = {
  title: "etcd (2)",
  items: [
    {
      item: "certificates for clients and peers, both required; no self-signed ones; an own CA",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(
        ...["cert-file", "key-file", "peer-cert-file", "peer-key-file"].map((name) => etcd(name, isSet)),
        ...["client-cert-auth", "peer-client-cert-auth"].map((name) => etcd(name, equals("true"))),
        ...["auto-tls", "peer-auto-tls"].map((name) => etcd(name, (value) => value === undefined || value === "false")),
        ownCertificateAuthority,
      ),
    },
  ],
};

const KUBELET: CisSection = {
  title: "Kubelet (4.2)",
  items: [
    {
      item: "no anonymous requests, authorization by webhook, a CA for clients, rotation of the client certificate",
      state: "passed (kubeadm)",
      expected: "passed",
      probe: all(
        kubelet("authentication.anonymous.enabled", (value) => value === false),
        kubelet("authorization.mode", (value) => value === "Webhook"),
        kubelet("authentication.x509.clientCAFile", (value) => typeof value === "string" && value !== ""),
        kubelet("rotateCertificates", (value) => value === true),
      ),
    },
    {
      item: "`readOnlyPort` is 0, `makeIPTablesUtilChains`, `streamingConnectionIdleTimeout`",
      state: "passed (Kubernetes' defaults)",
      expected: "passed",
      probe: all(
        kubelet("readOnlyPort", (value) => value === undefined || value === 0),
        kubelet("makeIPTablesUtilChains", (value) => value === true),
        kubelet("streamingConnectionIdleTimeout", (value) => typeof value === "string" && !/^0s?$/.test(value)),
      ),
    },
    {
      item: "`tlsCipherSuites`",
      state: "passed (set)",
      expected: "passed",
      probe: kubelet("tlsCipherSuites", (value) => Array.isArray(value) && hasStrongCiphers(value.join(","))),
    },
    {
      item: "serving certificate from the cluster's CA (`serverTLSBootstrap`)",
      state: `by an option: ${SERVING_OPTION}`,
      expected: "option",
      probe: kubelet("serverTLSBootstrap", (value) => value === true),
    },
    {
      item: "`protectKernelDefaults`, `podPidsLimit`, `seccompDefault`",
      state: "by an option: `controlPlane.kubelet`, `workers.kubelet`",
      expected: "option",
      probe: all(
        kubelet("protectKernelDefaults", (value) => value === true),
        kubelet("podPidsLimit", (value) => typeof value === "number" && value > 0),
        kubelet("seccompDefault", (value) => value === true),
      ),
    },
  ],
};

const PODS: CisSection = {
  title: "Pods (5.2)",
  items: [
    {
      item: "Pod Security Standards",
      state:
        "by an option: [`security.podSecurity`](#set-a-pod-security-standard), or labels of your namespaces. " +
        "flannel's namespace has the label `privileged`, which it needs",
      expected: "option",
      probe: flag("kube-apiserver", "admission-control-config-file", isSet),
    },
    {
      item: "Roles, network policies, Secrets and namespaces (5.1, 5.3, 5.4, 5.6)",
      state: "not decided by Kubewright: they belong to your workload",
      expected: "open",
    },
  ],
};

export const CIS_SECTIONS: readonly CisSection[] = [FILES, API_SERVER, MANAGERS, ETCD, KUBELET, PODS];
