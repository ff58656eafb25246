import type { Rung } from "../rung";
import { ETCD_PKI, PKI } from "./paths";

/** Who vouches for whom: each concern has a CA of its own, so that a certificate of one says nothing to the other. */
export type AuthorityName = "cluster" | "etcd" | "front-proxy";

export interface AuthorityRow {
  name: AuthorityName;
  commonName: string;
  /** The rung that it comes with. */
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
  /** The user's name, where it is a client of the API server. */
  commonName: string;
  /** The user's groups. */
  organizations?: readonly string[];
  usages: readonly Usage[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
}

/** Days. kubeadm's own lifetimes: a CA outlives what it signs, and is never renewed. */
export const AUTHORITY_DAYS = 3650;
export const CERTIFICATE_DAYS = 365;

export const AUTHORITIES: readonly AuthorityRow[] = [
  { name: "etcd", commonName: "etcd-ca", since: "etcd" },
  { name: "cluster", commonName: "kubernetes", since: "apiserver" },
  { name: "front-proxy", commonName: "front-proxy-ca", since: "apiserver" },
];

export interface CertificateOptions {
  /** The control plane's name as a node. */
  nodeName: string;
  /** Every address that it is reached at, by nodes and by people. */
  addresses: readonly string[];
  /** Further names of the API server: those of `controlPlane.endpoint`. */
  dnsNames?: readonly string[];
  /** The Service `kubernetes`, the first of the range. */
  serviceAddress: string;
  dnsDomain: string;
}

/**
 * Every certificate of the control plane. Kubelets get theirs by TLS bootstrap.
 * Source: https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export function certificateTable({
  nodeName,
  addresses,
  dnsNames = [],
  serviceAddress,
  dnsDomain,
}: CertificateOptions): CertificateRow[] {
  const both = ["server", "client"] as const;
  const etcd = {
    authority: "etcd",
    dnsNames: ["localhost", nodeName],
    ipAddresses: unique(["127.0.0.1", ...addresses]),
  } as const;
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${dnsDomain}`];
  return [
    // etcd's gateway asks its own server with its server's certificate: hence a client's usage too.
    { name: "etcd-server", since: "etcd", commonName: nodeName, usages: both, ...etcd },
    { name: "etcd-peer", since: "etcd", commonName: nodeName, usages: both, ...etcd },
    {
      name: "etcd-healthcheck-client",
      authority: "etcd",
      since: "etcd",
      commonName: "kube-etcd-healthcheck-client",
      usages: ["client"],
    },
    {
      name: "apiserver-etcd-client",
      authority: "etcd",
      since: "apiserver",
      commonName: "kube-apiserver-etcd-client",
      usages: ["client"],
    },
    {
      name: "apiserver",
      authority: "cluster",
      since: "apiserver",
      commonName: "kube-apiserver",
      usages: ["server"],
      dnsNames: unique(["localhost", nodeName, ...service, ...dnsNames]),
      ipAddresses: unique(["127.0.0.1", serviceAddress, ...addresses]),
    },
    {
      name: "apiserver-kubelet-client",
      authority: "cluster",
      since: "apiserver",
      commonName: KUBELET_CLIENT,
      usages: ["client"],
    },
    {
      name: "front-proxy-client",
      authority: "front-proxy",
      since: "apiserver",
      commonName: "front-proxy-client",
      usages: ["client"],
    },
    {
      name: "admin",
      authority: "cluster",
      since: "apiserver",
      commonName: "kubernetes-admin",
      organizations: ["system:masters"],
      usages: ["client"],
    },
    {
      name: "scheduler",
      authority: "cluster",
      since: "scheduler",
      commonName: "system:kube-scheduler",
      usages: ["client"],
    },
    {
      name: "controller-manager",
      authority: "cluster",
      since: "controllers",
      commonName: "system:kube-controller-manager",
      usages: ["client"],
    },
  ];
}

/** The user that the API server is to a kubelet; see `rbac.ts`. */
export const KUBELET_CLIENT = "kube-apiserver-kubelet-client";

/** kubeadm's path of a certificate, without `.crt` or `.key`. */
export function pkiPath(name: CertificateName): string {
  return name.startsWith("etcd-") ? `${ETCD_PKI}/${name.slice("etcd-".length)}` : `${PKI}/${name}`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
