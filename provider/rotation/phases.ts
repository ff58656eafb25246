import { PKI } from "../../render/component-paths";
import type { Component } from "../kubeadm/manifest-texts";
import { pemBlocks } from "../pki/pem";

/**
 * # Replacement of a cluster's CAs
 *
 * `npm run rotate-ca` replaces the CAs of a cluster that kubeadm built, and the key of its service accounts, in three
 * phases. Each run of the command does one phase:
 *
 * | phase     | a CA's file              | its key  | what changes                                         |
 * | --------- | ------------------------ | -------- | ---------------------------------------------------- |
 * | `trust`   | previous, then new       | previous | every component and client trusts both               |
 * | `reissue` | new, then previous       | new      | every certificate is issued by the new CA            |
 * | `drop`    | new                      | new      | nothing trusts the previous CA any more              |
 *
 * A command, and not a phase in the configuration, for three reasons. A phase may begin only when the one before has
 * reached every machine and every pod, which no order of resources expresses. A configuration could be set from `trust`
 * to `drop` directly. And no input of a resource may change, because a changed CA means another cluster to them.
 *
 * - **Identity.** The state keeps the hash of the CA with which the cluster was created, in every phase and afterwards.
 *   Before a machine trusts another CA, it records the hash (`pki/former-authorities.ts`). So a machine is a member of
 *   the cluster if its CA, one of its bundle, or a former one has the expected hash.
 * - **Progress.** `rotation-record.ts`: every control plane has the phase, and every machine has the phases that were
 *   proved on it. After SIGKILL, the next run continues the phase with the first machine that has not proved it.
 * - **Availability.** One machine after the other. A control plane is out of the API balancers while it restarts, and
 *   is proved healthy before the next one begins. Otherwise its previous files are restored.
 * - **Signing.** The controller manager refuses a bundle as the certificate with which it signs. In `trust` and
 *   `reissue` it signs with a file of its own (`kubeadm/signing-file.ts`), which `up` leaves in the manifest.
 */
export const PHASES = ["trust", "reissue", "drop"] as const;
export type Phase = (typeof PHASES)[number];

export const AUTHORITIES = ["cluster", "etcd", "front-proxy", "service-account"] as const;
export type AuthorityName = (typeof AUTHORITIES)[number];

export interface Authority {
  /** What the plan calls it. */
  title: string;
  /** What all clients trust: a CA certificate, or the public key of the service accounts. */
  certificate: string;
  certificateMode: string;
  key: string;
  /** Subject of the CA, as kubeadm names it. Absent for the service accounts' key pair. */
  commonName?: string;
  /** Component with whose restart the files are replaced. */
  placedWith: Component;
  /** Certificates that it issues, by the names of `kubeadm certs renew`, by the component that reads them. */
  leaves: Partial<Record<Component | "administrator", readonly string[]>>;
}

export const AUTHORITY: Readonly<Record<AuthorityName, Authority>> = {
  cluster: {
    title: "the cluster's CA",
    certificate: `${PKI}/ca.crt`,
    certificateMode: "0644",
    key: `${PKI}/ca.key`,
    commonName: "kubernetes",
    placedWith: "kube-apiserver",
    leaves: {
      "kube-apiserver": ["apiserver", "apiserver-kubelet-client"],
      "kube-controller-manager": ["controller-manager.conf"],
      "kube-scheduler": ["scheduler.conf"],
      administrator: ["admin.conf", "super-admin.conf"],
    },
  },
  etcd: {
    title: "etcd's CA",
    certificate: `${PKI}/etcd/ca.crt`,
    certificateMode: "0644",
    key: `${PKI}/etcd/ca.key`,
    commonName: "etcd-ca",
    placedWith: "etcd",
    leaves: {
      etcd: ["etcd-server", "etcd-peer", "etcd-healthcheck-client"],
      "kube-apiserver": ["apiserver-etcd-client"],
    },
  },
  "front-proxy": {
    title: "the front proxy's CA",
    certificate: `${PKI}/front-proxy-ca.crt`,
    certificateMode: "0644",
    key: `${PKI}/front-proxy-ca.key`,
    commonName: "front-proxy-ca",
    placedWith: "kube-apiserver",
    leaves: { "kube-apiserver": ["front-proxy-client"] },
  },
  "service-account": {
    title: "the key of the service accounts",
    certificate: `${PKI}/sa.pub`,
    certificateMode: "0600",
    key: `${PKI}/sa.key`,
    placedWith: "kube-apiserver",
    leaves: {},
  },
};

/** What an authority was before the rotation, and what it becomes: PEM of certificates, or of public keys. */
export interface Succession {
  previous: string;
  next: string;
}

/**
 * Returns the content of an authority's certificate file in a phase. The one that issues comes first, because kubeadm
 * and the controller manager use the first certificate of a file. The previous one may be a bundle, which a lost
 * rotation has left.
 */
export function bundleIn(phase: Phase, { previous, next }: Succession): string {
  const [before, after] = [pemBlocks(previous), pemBlocks(next)];
  const blocks = { trust: [...before, ...after], reissue: [...after, ...before], drop: after }[phase];
  return [...new Set(blocks)].join("");
}

/** Whether an authority's key is the new one in a phase. */
export function hasNewKey(phase: Phase): boolean {
  return phase !== "trust";
}

/** A component of a control plane that changes in a phase; the administrator's kubeconfigs without a component. */
export interface PlannedStage {
  component?: Component;
  /** Authorities whose files are replaced. */
  places: readonly AuthorityName[];
  /** Certificates that are reissued, by the names of `kubeadm certs renew`. */
  renews: readonly string[];
  /** Kubeconfigs that get the bundle. */
  kubeconfigs: readonly string[];
  /** Whether it restarts. etcd reads its certificates at each handshake, but its CA only when it starts. */
  restarts: boolean;
}

const ORDER = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "administrator"] as const;
type Owner = (typeof ORDER)[number];

/** Returns the stages of a phase on a control plane, in the order in which the components depend on one another. */
export function planStages(phase: Phase, names: readonly AuthorityName[]): PlannedStage[] {
  return ORDER.map((owner) => planStage(owner, phase, names)).filter(
    ({ places, renews, kubeconfigs, restarts }) => places.length + renews.length + kubeconfigs.length > 0 || restarts,
  );
}

function planStage(owner: Owner, phase: Phase, names: readonly AuthorityName[]): PlannedStage {
  const kubeconfigs = names.includes("cluster")
    ? (AUTHORITY.cluster.leaves[owner] ?? []).filter((name) => name.endsWith(".conf"))
    : [];
  return {
    ...(owner === "administrator" ? {} : { component: owner }),
    places: names.filter((name) => AUTHORITY[name].placedWith === owner),
    renews: phase === "reissue" ? names.flatMap((name) => AUTHORITY[name].leaves[owner] ?? []) : [],
    kubeconfigs,
    restarts: isRestarted(owner, phase, names),
  };
}

function isRestarted(owner: Owner, phase: Phase, names: readonly AuthorityName[]): boolean {
  switch (owner) {
    case "etcd":
      return names.includes("etcd") && phase !== "reissue";
    case "kube-apiserver":
      return names.length > 0;
    case "kube-controller-manager":
      // It signs the tokens of legacy Secrets with the service accounts' key.
      return names.includes("cluster") || (names.includes("service-account") && phase === "reissue");
    case "kube-scheduler":
      return names.includes("cluster");
    case "administrator":
      return false;
  }
}

/** Returns the files that a phase may replace on a control plane, besides the manifests. */
export function filesInPhase(phase: Phase, names: readonly AuthorityName[]): string[] {
  const stages = planStages(phase, names);
  const authorities = names.flatMap((name) => [AUTHORITY[name].certificate, AUTHORITY[name].key]);
  const leaves = stages.flatMap(({ renews }) => renews.flatMap(filesOfLeaf));
  const kubeconfigs = stages.flatMap((stage) => stage.kubeconfigs.map((name) => `/etc/kubernetes/${name}`));
  return [...new Set([...authorities, ...leaves, ...kubeconfigs])];
}

function filesOfLeaf(name: string): string[] {
  if (name.endsWith(".conf")) return [`/etc/kubernetes/${name}`];
  return ["crt", "key"].map((end) => `${PKI}/${name.replace(/^etcd-/, "etcd/")}.${end}`);
}
