import { optional } from "../../common/optional";
import { ENCRYPTION_FLAG, ENCRYPTION_FLAGS } from "../encryption";
import { initDefaults, type Args } from "../kubeadm-args";
import {
  API_SERVER_CONFIG,
  LADDER_ENCRYPTION_FILE,
  CONTROLLER_MANAGER_KUBECONFIG,
  ETCD_DATA,
  ETCD_PKI,
  PKI,
  SCHEDULER_KUBECONFIG,
} from "../component-paths";

/** The components of a control plane, which are also the names of their binaries and images. */
export type ComponentName = "etcd" | "kube-apiserver" | "kube-scheduler" | "kube-controller-manager";

export interface ArgumentsOptions {
  clusterName: string;
  nodeName: string;
  /** Address at which other nodes reach the control plane. */
  address: string;
  serviceCidr: string;
  podCidr: string;
  dnsDomain: string;
  /** The API server has a file of static tokens. */
  staticTokens: boolean;
  /** Disabled admission plugins, such as ServiceAccount. */
  disableAdmission: readonly string[];
  /** The API server reads an encryption configuration. @default false */
  encryption?: boolean;
  /** The user's flags, which override Kubewright's flags of the same name. */
  extraArgs?: Partial<Record<ComponentName, Args>>;
}

/** Returns a component's flags without leading dashes. They are the same for a static pod and for a service. */
export function componentArguments(name: ComponentName, options: ArgumentsOptions): Args {
  return { ...TABLES[name](options), ...options.extraArgs?.[name] };
}

const TABLES: Record<ComponentName, (options: ArgumentsOptions) => Args> = {
  etcd: etcdArguments,
  "kube-apiserver": apiServerArguments,
  "kube-scheduler": schedulerArguments,
  "kube-controller-manager": controllerManagerArguments,
};

/** Clients and peers must present certificates. Port 2381 serves health and metrics only, on the loopback interface. */
function etcdArguments({ nodeName, address }: ArgumentsOptions): Args {
  return {
    name: nodeName,
    "data-dir": ETCD_DATA,
    "advertise-client-urls": `https://${address}:2379`,
    "listen-client-urls": `https://127.0.0.1:2379,https://${address}:2379`,
    "cert-file": `${ETCD_PKI}/server.crt`,
    "key-file": `${ETCD_PKI}/server.key`,
    "client-cert-auth": "true",
    "trusted-ca-file": `${ETCD_PKI}/ca.crt`,
    "initial-advertise-peer-urls": `https://${address}:2380`,
    "initial-cluster": `${nodeName}=https://${address}:2380`,
    "listen-peer-urls": `https://${address}:2380`,
    "peer-cert-file": `${ETCD_PKI}/peer.crt`,
    "peer-key-file": `${ETCD_PKI}/peer.key`,
    "peer-client-cert-auth": "true",
    "peer-trusted-ca-file": `${ETCD_PKI}/ca.crt`,
    "listen-metrics-urls": "http://127.0.0.1:2381",
    "snapshot-count": "10000",
  };
}

function apiServerArguments({
  address,
  serviceCidr,
  dnsDomain,
  staticTokens,
  disableAdmission,
  encryption = false,
}: ArgumentsOptions): Args {
  return {
    "advertise-address": address,
    "secure-port": "6443",
    "allow-privileged": "true",
    // Authentication: certificates, service accounts, bootstrap tokens, static tokens. Anonymous for health checks
    // only.
    "client-ca-file": `${PKI}/ca.crt`,
    "authentication-config": `${API_SERVER_CONFIG}/authentication.yaml`,
    "enable-bootstrap-token-auth": "true",
    ...optional({ "token-auth-file": staticTokens ? `${API_SERVER_CONFIG}/tokens.csv` : undefined }),
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    // An empty list is omitted.
    ...optional({ "disable-admission-plugins": disableAdmission.join(",") || undefined }),
    "etcd-servers": "https://127.0.0.1:2379",
    "etcd-cafile": `${ETCD_PKI}/ca.crt`,
    "etcd-certfile": `${PKI}/apiserver-etcd-client.crt`,
    "etcd-keyfile": `${PKI}/apiserver-etcd-client.key`,
    "kubelet-client-certificate": `${PKI}/apiserver-kubelet-client.crt`,
    "kubelet-client-key": `${PKI}/apiserver-kubelet-client.key`,
    "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
    "proxy-client-cert-file": `${PKI}/front-proxy-client.crt`,
    "proxy-client-key-file": `${PKI}/front-proxy-client.key`,
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-client-ca-file": `${PKI}/front-proxy-ca.crt`,
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "service-account-issuer": `https://kubernetes.default.svc.${dnsDomain}`,
    "service-account-key-file": `${PKI}/sa.pub`,
    "service-account-signing-key-file": `${PKI}/sa.key`,
    "service-cluster-ip-range": serviceCidr,
    "tls-cert-file": `${PKI}/apiserver.crt`,
    "tls-private-key-file": `${PKI}/apiserver.key`,
    ...initDefaults(1).apiServer,
    ...(encryption ? { ...ENCRYPTION_FLAGS, [ENCRYPTION_FLAG]: LADDER_ENCRYPTION_FILE } : {}),
  };
}

function schedulerArguments(): Args {
  return { ...delegationArguments(SCHEDULER_KUBECONFIG), ...initDefaults(1).scheduler };
}

function controllerManagerArguments({ clusterName, podCidr, serviceCidr }: ArgumentsOptions): Args {
  return {
    ...delegationArguments(CONTROLLER_MANAGER_KUBECONFIG),
    "client-ca-file": `${PKI}/ca.crt`,
    "requestheader-client-ca-file": `${PKI}/front-proxy-ca.crt`,
    "cluster-name": clusterName,
    "cluster-cidr": podCidr,
    "service-cluster-ip-range": serviceCidr,
    // Each node's subnet is assigned before there is a controller manager, see bridge.ts.
    "allocate-node-cidrs": "false",
    "cluster-signing-cert-file": `${PKI}/ca.crt`,
    "cluster-signing-key-file": `${PKI}/ca.key`,
    "root-ca-file": `${PKI}/ca.crt`,
    "service-account-private-key-file": `${PKI}/sa.key`,
    "use-service-account-credentials": "true",
    controllers: "*,tokencleaner",
    ...initDefaults(1).controllerManager,
  };
}

/** Flags of a component that delegates authentication and authorization of its own clients to the API server. */
function delegationArguments(path: string): Args {
  return {
    kubeconfig: path,
    "authentication-kubeconfig": path,
    "authorization-kubeconfig": path,
    "bind-address": "127.0.0.1",
  };
}
