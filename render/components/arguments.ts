import { initDefaults, type Args } from "../kubeadm-args";
import {
  API_SERVER_CONFIG,
  CONTROLLER_MANAGER_KUBECONFIG,
  ETCD_DATA,
  ETCD_PKI,
  PKI,
  SCHEDULER_KUBECONFIG,
} from "./paths";

/** The components of a control plane, and the binaries and images that they are. */
export type ComponentName = "etcd" | "kube-apiserver" | "kube-scheduler" | "kube-controller-manager";

export interface ArgumentsOptions {
  clusterName: string;
  nodeName: string;
  /** The address that other nodes reach the control plane at. */
  address: string;
  serviceCidr: string;
  podCidr: string;
  dnsDomain: string;
  /** Whether there are static tokens. */
  staticTokens: boolean;
  /** Admission plugins that are switched off, such as ServiceAccount. */
  disableAdmission: readonly string[];
  /** A person's flags, which win over ours of the same name. */
  extraArgs?: Partial<Record<ComponentName, Args>>;
}

/** Flags without their dashes; the same whether a component is a static pod or a service. */
export function componentArguments(name: ComponentName, options: ArgumentsOptions): Args {
  return { ...TABLES[name](options), ...options.extraArgs?.[name] };
}

const TABLES: Record<ComponentName, (options: ArgumentsOptions) => Args> = {
  etcd: etcdArguments,
  "kube-apiserver": apiServerArguments,
  "kube-scheduler": schedulerArguments,
  "kube-controller-manager": controllerManagerArguments,
};

/** Clients and peers show certificates, always. Port 2381 has health and metrics only, for the machine itself. */
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
}: ArgumentsOptions): Args {
  return {
    "advertise-address": address,
    "secure-port": "6443",
    "allow-privileged": "true",
    // Who: certificates, service accounts, bootstrap tokens, static tokens; nobody in particular only where health is asked.
    "client-ca-file": `${PKI}/ca.crt`,
    "authentication-config": `${API_SERVER_CONFIG}/authentication.yaml`,
    "enable-bootstrap-token-auth": "true",
    ...(staticTokens ? { "token-auth-file": `${API_SERVER_CONFIG}/tokens.csv` } : {}),
    // What they may.
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    ...(disableAdmission.length > 0 ? { "disable-admission-plugins": disableAdmission.join(",") } : {}),
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
  };
}

function schedulerArguments(): Args {
  return { ...delegating(SCHEDULER_KUBECONFIG), ...initDefaults(1).scheduler };
}

function controllerManagerArguments({ clusterName, podCidr, serviceCidr }: ArgumentsOptions): Args {
  return {
    ...delegating(CONTROLLER_MANAGER_KUBECONFIG),
    "client-ca-file": `${PKI}/ca.crt`,
    "requestheader-client-ca-file": `${PKI}/front-proxy-ca.crt`,
    "cluster-name": clusterName,
    "cluster-cidr": podCidr,
    "service-cluster-ip-range": serviceCidr,
    // A node's part of the pod range is known before there is any controller manager: see machineRange in bridge.ts.
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

/** A component that is a client of the API server, and lets it judge who asks the component itself. */
function delegating(path: string): Args {
  return {
    kubeconfig: path,
    "authentication-kubeconfig": path,
    "authorization-kubeconfig": path,
    "bind-address": "127.0.0.1",
  };
}
