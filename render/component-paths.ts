/** Paths of the components' files. They are kubeadm's, where users and `status` expect them. */
export const KUBERNETES = "/etc/kubernetes";
export const PKI = `${KUBERNETES}/pki`;
export const ETCD_PKI = `${PKI}/etcd`;
export const MANIFESTS = `${KUBERNETES}/manifests`;
export const ETCD_DATA = "/var/lib/etcd";
/** The API server's own files. The folder is mounted, so that replaced files are seen in the container. */
export const API_SERVER_CONFIG = `${KUBERNETES}/apiserver`;
/** The encryption configuration of an API server without kubeadm. */
export const LADDER_ENCRYPTION_FILE = `${API_SERVER_CONFIG}/encryption.yaml`;
export const ADMIN_KUBECONFIG = `${KUBERNETES}/admin.conf`;
export const SCHEDULER_KUBECONFIG = `${KUBERNETES}/scheduler.conf`;
export const CONTROLLER_MANAGER_KUBECONFIG = `${KUBERNETES}/controller-manager.conf`;

/**
 * File with the hashes of the CAs that a machine's cluster had before, one a line: `sha256:<hex>`. It identifies the
 * cluster and grants nothing. `kubeadm reset` removes it together with the PKI.
 */
export const FORMER_AUTHORITIES = `${PKI}/former-authorities`;
