import type { Rung } from "../../render/rung";

/** A command that shows what a rung has made possible. */
export interface RungCheck {
  shows: string;
  /** `here` is this computer, `machine` the control plane's machine. */
  where: "here" | "machine";
  command: string;
}

const PKI = "/etc/kubernetes/pki";
/** Environment variables of etcdctl. */
const ETCDCTL = [
  "ETCDCTL_ENDPOINTS=https://127.0.0.1:2379",
  `ETCDCTL_CACERT=${PKI}/etcd/ca.crt`,
  `ETCDCTL_CERT=${PKI}/etcd/healthcheck-client.crt`,
  `ETCDCTL_KEY=${PKI}/etcd/healthcheck-client.key`,
].join(" ");
/** Address of the node: kube-proxy serves NodePorts on this one only. */
const NODE_ADDRESS =
  "$(kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath='{.items[0].status.addresses[0].address}')";
const FILES = "examples/ladder";

/** Checks of what each rung makes possible that the rung below did not. They can be repeated. */
export const RUNG_CHECKS: Readonly<Record<Rung, readonly RungCheck[]>> = {
  kubelet: [
    {
      shows: "the kubelet runs the pods of this folder, without an API server",
      where: "machine",
      command: "ls /etc/kubernetes/manifests",
    },
    { shows: "the pod of hello.yaml answers requests", where: "machine", command: "curl -s http://127.0.0.1:8080" },
  ],
  etcd: [
    { shows: "etcd stores keys and values: put", where: "machine", command: `${ETCDCTL} etcdctl put greeting hello` },
    { shows: "etcd stores keys and values: get", where: "machine", command: `${ETCDCTL} etcdctl get greeting` },
    {
      shows: "Kubernetes has stored nothing in etcd yet",
      where: "machine",
      command: `${ETCDCTL} etcdctl get --prefix /registry --keys-only --limit 3`,
    },
  ],
  apiserver: [
    { shows: "the machines are nodes", where: "here", command: "kubectl get nodes" },
    {
      shows: "a pod with a nodeName runs, with its ConfigMap and Secret",
      where: "here",
      command: `kubectl apply -f ${FILES}/pinned.yaml && kubectl wait pod/pinned --for=condition=Ready --timeout=120s`,
    },
    {
      shows: "a pod without a nodeName is Pending",
      where: "here",
      command: `kubectl apply -f ${FILES}/waiting.yaml && kubectl get pods -o wide`,
    },
    {
      shows: "creating an existing object fails with 409 AlreadyExists",
      where: "here",
      command: `kubectl create -f ${FILES}/waiting.yaml 2>&1 || true`,
    },
    {
      shows: "an unknown token is refused with 401 Unauthorized",
      where: "machine",
      command:
        `curl -s -o /dev/null -w '%{http_code}\\n' --cacert ${PKI}/ca.crt ` +
        "-H 'Authorization: Bearer wrong' https://127.0.0.1:6443/api/v1/nodes",
    },
    {
      shows: "the API server stores its objects in etcd",
      where: "machine",
      command: `${ETCDCTL} etcdctl get --prefix /registry/pods --keys-only`,
    },
  ],
  scheduler: [
    {
      shows: "the Pending pod is scheduled",
      where: "here",
      command: "kubectl wait pod/waiting --for=condition=Ready --timeout=120s && kubectl get pod waiting -o wide",
    },
  ],
  controllers: [
    {
      shows: "a Deployment creates its pods",
      where: "here",
      command: `kubectl apply -f ${FILES}/web.yaml && kubectl rollout status deploy/web --timeout=180s`,
    },
    {
      shows: "the Deployment replaces a deleted pod",
      where: "here",
      command:
        "kubectl delete pod -l app=web --wait=false && kubectl rollout status deploy/web --timeout=180s && " +
        "kubectl get pods -l app=web",
    },
    { shows: "service accounts have tokens", where: "here", command: "kubectl create token default | wc -c" },
  ],
  proxy: [
    {
      shows: "a Service has a cluster IP",
      where: "here",
      command: `kubectl apply -f ${FILES}/service.yaml && kubectl get service web`,
    },
    {
      shows: "port 30073 of every node forwards to one of the pods",
      where: "machine",
      command: `curl -s --retry 20 --retry-all-errors --retry-delay 1 http://${NODE_ADDRESS}:30073`,
    },
  ],
  dns: [
    {
      shows: "service names resolve on every node",
      where: "here",
      command: "kubectl exec deploy/web -- nslookup web.default.svc.cluster.local",
    },
    { shows: "the cluster is complete", where: "here", command: "kubectl get pods -A" },
  ],
};
