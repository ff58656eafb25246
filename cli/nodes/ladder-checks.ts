import type { Rung } from "../../render/rung";

/** Something to look at on a rung: a command as a person types it, and what it shows. */
export interface Look {
  shows: string;
  /** On this computer, or on the control plane's machine. */
  where: "here" | "machine";
  command: string;
}

const PKI = "/etc/kubernetes/pki";
/** As etcdctl's own environment names them. */
const ETCDCTL = [
  "ETCDCTL_ENDPOINTS=https://127.0.0.1:2379",
  `ETCDCTL_CACERT=${PKI}/etcd/ca.crt`,
  `ETCDCTL_CERT=${PKI}/etcd/healthcheck-client.crt`,
  `ETCDCTL_KEY=${PKI}/etcd/healthcheck-client.key`,
].join(" ");
/** The address that the node is known by: kube-proxy serves NodePorts at no other. */
const NODE_ADDRESS =
  "$(kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath='{.items[0].status.addresses[0].address}')";
const FILES = "examples/ladder";

/** What a person can do on each rung and could not on the one below. Safe to run again. */
export const LOOKS: Readonly<Record<Rung, readonly Look[]>> = {
  kubelet: [
    {
      shows: "the kubelet reads pods from this folder, and needs nobody for it",
      where: "machine",
      command: "ls /etc/kubernetes/manifests",
    },
    { shows: "the pod of hello.yaml serves", where: "machine", command: "curl -s http://127.0.0.1:8080" },
  ],
  etcd: [
    { shows: "a store of keys and values: put", where: "machine", command: `${ETCDCTL} etcdctl put greeting hello` },
    { shows: "and get", where: "machine", command: `${ETCDCTL} etcdctl get greeting` },
    {
      shows: "nothing of Kubernetes is in it yet",
      where: "machine",
      command: `${ETCDCTL} etcdctl get --prefix /registry --keys-only --limit 3`,
    },
  ],
  apiserver: [
    { shows: "the machines have become nodes", where: "here", command: "kubectl get nodes" },
    {
      shows: "a pod that names its node runs, with a ConfigMap and a Secret",
      where: "here",
      command: `kubectl apply -f ${FILES}/pinned.yaml && kubectl wait pod/pinned --for=condition=Ready --timeout=120s`,
    },
    {
      shows: "a pod that names none is Pending",
      where: "here",
      command: `kubectl apply -f ${FILES}/waiting.yaml && kubectl get pods -o wide`,
    },
    {
      shows: "what exists is not created twice: 409",
      where: "here",
      command: `kubectl create -f ${FILES}/waiting.yaml 2>&1 || true`,
    },
    {
      shows: "who is not known is refused: 401",
      where: "machine",
      command: `curl -s -o /dev/null -w '%{http_code}\\n' --cacert ${PKI}/ca.crt -H 'Authorization: Bearer wrong' https://127.0.0.1:6443/api/v1/nodes`,
    },
    {
      shows: "everything that the API knows is in etcd",
      where: "machine",
      command: `${ETCDCTL} etcdctl get --prefix /registry/pods --keys-only`,
    },
  ],
  scheduler: [
    {
      shows: "the Pending pod has got a node",
      where: "here",
      command: "kubectl wait pod/waiting --for=condition=Ready --timeout=120s && kubectl get pod waiting -o wide",
    },
  ],
  controllers: [
    {
      shows: "a Deployment makes its pods",
      where: "here",
      command: `kubectl apply -f ${FILES}/web.yaml && kubectl rollout status deploy/web --timeout=180s`,
    },
    {
      shows: "and makes one again that is deleted",
      where: "here",
      command:
        "kubectl delete pod -l app=web --wait=false && kubectl rollout status deploy/web --timeout=180s && kubectl get pods -l app=web",
    },
    { shows: "service accounts have got tokens", where: "here", command: "kubectl create token default | wc -c" },
  ],
  proxy: [
    {
      shows: "a Service has an address of its own",
      where: "here",
      command: `kubectl apply -f ${FILES}/service.yaml && kubectl get service web`,
    },
    {
      shows: "port 30073 of every node leads to one of the pods",
      where: "machine",
      command: `curl -s --retry 20 --retry-all-errors --retry-delay 1 http://${NODE_ADDRESS}:30073`,
    },
  ],
  dns: [
    {
      shows: "names resolve, on every node",
      where: "here",
      command: "kubectl exec deploy/web -- nslookup web.default.svc.cluster.local",
    },
    { shows: "a full cluster", where: "here", command: "kubectl get pods -A" },
  ],
};
