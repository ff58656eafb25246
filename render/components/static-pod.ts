import { HELLO_PORT } from "../preflight-ports";
import { optional } from "../../common/optional";
import type { Args } from "../kubeadm-args";
import type { PullPolicy } from "../kubeadm-types";
import type { ComponentName } from "./arguments";
import {
  API_SERVER_CONFIG,
  CONTROLLER_MANAGER_KUBECONFIG,
  ETCD_DATA,
  ETCD_PKI,
  PKI,
  SCHEDULER_KUBECONFIG,
} from "../component-paths";

/** A Pod manifest of the kubelet's static pod folder, with the parts that Kubewright sets. */
export interface StaticPod {
  apiVersion: "v1";
  kind: "Pod";
  metadata: { name: string; namespace: string; labels: Record<string, string>; annotations?: Record<string, string> };
  spec: object;
}

/** A component's health check on its machine. */
export interface Health {
  scheme: "HTTP" | "HTTPS";
  port: number;
  /** Path of the liveness check. */
  live: string;
  /** Path of the readiness check. */
  ready: string;
}

export const HEALTH: Record<ComponentName, Health> = {
  etcd: { scheme: "HTTP", port: 2381, live: "/livez", ready: "/readyz" },
  "kube-apiserver": { scheme: "HTTPS", port: 6443, live: "/livez", ready: "/readyz" },
  "kube-scheduler": { scheme: "HTTPS", port: 10259, live: "/livez", ready: "/readyz" },
  "kube-controller-manager": { scheme: "HTTPS", port: 10257, live: "/healthz", ready: "/healthz" },
};

interface Mount {
  name: string;
  path: string;
  type: "Directory" | "DirectoryOrCreate" | "FileOrCreate";
  readOnly?: boolean;
}

const CERTIFICATES: Mount = { name: "pki", path: PKI, type: "DirectoryOrCreate", readOnly: true };
const ROOTS: Mount = { name: "ca-certs", path: "/etc/ssl/certs", type: "DirectoryOrCreate", readOnly: true };

const MOUNTS: Record<ComponentName, readonly Mount[]> = {
  etcd: [
    { name: "data", path: ETCD_DATA, type: "DirectoryOrCreate" },
    { name: "pki", path: ETCD_PKI, type: "DirectoryOrCreate", readOnly: true },
  ],
  "kube-apiserver": [
    CERTIFICATES,
    ROOTS,
    { name: "config", path: API_SERVER_CONFIG, type: "DirectoryOrCreate", readOnly: true },
  ],
  "kube-scheduler": [{ name: "kubeconfig", path: SCHEDULER_KUBECONFIG, type: "FileOrCreate", readOnly: true }],
  "kube-controller-manager": [
    CERTIFICATES,
    ROOTS,
    { name: "kubeconfig", path: CONTROLLER_MANAGER_KUBECONFIG, type: "FileOrCreate", readOnly: true },
  ],
};

/** Resource requests, which are kubeadm's. */
const REQUESTS: Record<ComponentName, Record<string, string>> = {
  etcd: { cpu: "100m", memory: "100Mi" },
  "kube-apiserver": { cpu: "250m" },
  "kube-scheduler": { cpu: "100m" },
  "kube-controller-manager": { cpu: "200m" },
};

export interface ComponentPodOptions {
  name: ComponentName;
  image: string;
  imagePullPolicy: PullPolicy;
  args: Args;
  /** The address that the API server listens on, for its probes. */
  address: string;
}

/** Returns the static pod of a control plane component, as kubeadm renders it. */
export function componentPod({ name, image, imagePullPolicy, args, address }: ComponentPodOptions): StaticPod {
  const { live, ready } = HEALTH[name];
  const host = name === "kube-apiserver" ? address : "127.0.0.1";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "kube-system", labels: { component: name, tier: "control-plane" } },
    spec: {
      hostNetwork: true,
      priorityClassName: "system-node-critical",
      securityContext: { seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name,
          image,
          imagePullPolicy,
          command: [name, ...flagList(args)],
          resources: { requests: REQUESTS[name] },
          startupProbe: probe(name, host, live, { periodSeconds: 1, failureThreshold: 120 }),
          livenessProbe: probe(name, host, live, { periodSeconds: 10, failureThreshold: 8 }),
          readinessProbe: probe(name, host, ready, { periodSeconds: 1, failureThreshold: 3 }),
          volumeMounts: MOUNTS[name].map(({ name, path, readOnly }) => optional({ name, mountPath: path, readOnly })),
        },
      ],
      volumes: MOUNTS[name].map((mount) => ({ name: mount.name, hostPath: { path: mount.path, type: mount.type } })),
    },
  };
}

function probe(name: ComponentName, host: string, path: string, times: object): object {
  const { scheme, port } = HEALTH[name];
  return { httpGet: { host, scheme, port, path }, timeoutSeconds: 15, ...times };
}

export function flagList(args: Args): string[] {
  return Object.entries(args).map(([name, value]) => `--${name}=${value}`);
}

/**
 * Returns the example of the first rung: a static pod that serves a page on the machine's port 8080, without any API
 * server.
 */
export function helloPod({
  image,
  imagePullPolicy,
  nodeName,
}: {
  image: string;
  imagePullPolicy: PullPolicy;
  nodeName: string;
}): StaticPod {
  const page = `mkdir -p /tmp/www && echo "hello from ${nodeName}" > /tmp/www/index.html`;
  const serve = `${page} && exec httpd -f -p 8080 -h /tmp/www`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "hello", namespace: "default", labels: { app: "hello" } },
    spec: {
      // busybox ignores SIGTERM.
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "hello",
          image,
          imagePullPolicy,
          command: ["sh", "-c", serve],
          ports: [{ containerPort: 8080, hostPort: HELLO_PORT }],
          resources: { requests: { cpu: "10m", memory: "8Mi" } },
        },
      ],
    },
  };
}
