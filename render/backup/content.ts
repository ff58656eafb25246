import { KUBERNETES, PKI } from "../component-paths";

/** File of etcd's snapshot in a backup. */
export const SNAPSHOT_FILE = "etcd.db";
/** Folder of the control plane's files in a backup, below which they have their own paths. */
export const MACHINE_FOLDER = "machine";

/** What the other keys and certificates of a cluster are issued from. */
export const AUTHORITY_FILES = [
  ...["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub"],
  ...["etcd/ca.crt", "etcd/ca.key"],
].map((name) => `${PKI}/${name}`);

/** Paths that kubeadm itself mounts into the static pods. */
export const PATHS_OF_KUBEADM = [
  ...[PKI, "/etc/ssl/certs", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"],
  ...["/etc/pki/ca-trust", "/etc/pki/tls/certs", `${KUBERNETES}/controller-manager.conf`],
  ...[`${KUBERNETES}/scheduler.conf`, "/usr/libexec/kubernetes/kubelet-plugins/volume/exec"],
];

/** ConfigMaps of kube-system with kubeadm's configuration. Each of their keys is a file `NAME.KEY.yaml` of a backup. */
export const CONFIG_MAPS = ["kubeadm-config", "kubelet-config"];
