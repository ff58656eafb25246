/** Where the components' files are: kubeadm's places, so that people and `status` find them where they always are. */
export const KUBERNETES = "/etc/kubernetes";
export const PKI = `${KUBERNETES}/pki`;
export const ETCD_PKI = `${PKI}/etcd`;
export const MANIFESTS = `${KUBERNETES}/manifests`;
export const ETCD_DATA = "/var/lib/etcd";
/** The API server's own files; mounted as a folder, so that a file which is moved in anew is seen. */
export const API_SERVER_CONFIG = `${KUBERNETES}/apiserver`;
export const ADMIN_KUBECONFIG = `${KUBERNETES}/admin.conf`;
export const SCHEDULER_KUBECONFIG = `${KUBERNETES}/scheduler.conf`;
export const CONTROLLER_MANAGER_KUBECONFIG = `${KUBERNETES}/controller-manager.conf`;
