import type { Rung } from "../rung";
import { ETCD_PKI, PKI } from "../component-paths";

/** The certificate authorities. There is one per purpose, so that a certificate of one is not accepted for another. */
export type AuthorityName = "cluster" | "etcd" | "front-proxy";

export interface AuthorityRow {
  name: AuthorityName;
  commonName: string;
  /** The rung that adds it. */
  since: Rung;
}

export type CertificateName =
  | "etcd-server"
  | "etcd-peer"
  | "etcd-healthcheck-client"
  | "apiserver-etcd-client"
  | "apiserver"
  | "apiserver-kubelet-client"
  | "front-proxy-client"
  | "admin"
  | "scheduler"
  | "controller-manager";

export type Usage = "server" | "client";

export interface CertificateRow {
  name: CertificateName;
  authority: AuthorityName;
  since: Rung;
  /** The user name, for clients of the API server. */
  commonName: string;
  /** The user's groups. */
  organizations?: readonly string[];
  usages: readonly Usage[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
}

/** Lifetimes in days, which are kubeadm's. A CA is never renewed. */
export const AUTHORITY_DAYS = 3650;
export const CERTIFICATE_DAYS = 365;

export const AUTHORITIES: readonly AuthorityRow[] = [
  { name: "etcd", commonName: "etcd-ca", since: "etcd" },
  { name: "cluster", commonName: "kubernetes", since: "apiserver" },
  { name: "front-proxy", commonName: "front-proxy-ca", since: "apiserver" },
];

export interface CertificateOptions {
  /** Name of the control plane's node. */
  nodeName: string;
  /** All addresses at which nodes and users reach the control plane. */
  addresses: readonly string[];
  /** Additional names of the API server: those of `controlPlane.endpoint`. */
  dnsNames?: readonly string[];
  /** Address of the Service `kubernetes`, the first of the service range. */
  serviceAddress: string;
  dnsDomain: string;
}

/**
 * Lists every certificate of the control plane. Kubelets get theirs by TLS bootstrap.
 * Source: https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export function certificateTable(options: CertificateOptions): CertificateRow[] {
  return [
    ...etcdCertificates(options),
    apiServerCertificate(options),
    client("apiserver-kubelet-client", "cluster", "apiserver", KUBELET_CLIENT),
    client("front-proxy-client", "front-proxy", "apiserver", "front-proxy-client"),
    { ...client("admin", "cluster", "apiserver", "kubernetes-admin"), organizations: ["system:masters"] },
    client("scheduler", "cluster", "scheduler", "system:kube-scheduler"),
    client("controller-manager", "cluster", "controllers", "system:kube-controller-manager"),
  ];
}

function etcdCertificates({ nodeName, addresses }: CertificateOptions): CertificateRow[] {
  const member = {
    authority: "etcd",
    since: "etcd",
    commonName: nodeName,
    // etcd's gateway connects to its own server with the server's certificate.
    usages: ["server", "client"],
    dnsNames: ["localhost", nodeName],
    ipAddresses: unique(["127.0.0.1", ...addresses]),
  } as const;
  return [
    { name: "etcd-server", ...member },
    { name: "etcd-peer", ...member },
    client("etcd-healthcheck-client", "etcd", "etcd", "kube-etcd-healthcheck-client"),
    client("apiserver-etcd-client", "etcd", "apiserver", "kube-apiserver-etcd-client"),
  ];
}

function apiServerCertificate(options: CertificateOptions): CertificateRow {
  const { nodeName, addresses, dnsNames = [], serviceAddress, dnsDomain } = options;
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${dnsDomain}`];
  return {
    name: "apiserver",
    authority: "cluster",
    since: "apiserver",
    commonName: "kube-apiserver",
    usages: ["server"],
    dnsNames: unique(["localhost", nodeName, ...service, ...dnsNames]),
    ipAddresses: unique(["127.0.0.1", serviceAddress, ...addresses]),
  };
}

function client(name: CertificateName, authority: AuthorityName, since: Rung, commonName: string): CertificateRow {
  return { name, authority, since, commonName, usages: ["client"] };
}

/** The API server's user name as a client of kubelets. See `rbac.ts`. */
export const KUBELET_CLIENT = "kube-apiserver-kubelet-client";

/** Returns kubeadm's path of a certificate, without `.crt` or `.key`. */
export function pkiPath(name: CertificateName): string {
  return name.startsWith("etcd-") ? `${ETCD_PKI}/${name.slice("etcd-".length)}` : `${PKI}/${name}`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
