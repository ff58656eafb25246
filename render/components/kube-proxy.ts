import { CONFIG_ANNOTATION, configHash, yamlText } from "../json";
import type { KubeProxyConfiguration, PullPolicy } from "../kubeadm-types";
import { clusterRoleBinding, type KubernetesObject } from "../object";

const namespace = "kube-system";
const name = "kube-proxy";
/** kube-proxy's DaemonSet. */
export const KUBE_PROXY = { namespace, daemonSet: name };
const FOLDER = "/var/lib/kube-proxy";

/** Port of kube-proxy's health check. */
export const PROXY_HEALTH_PORT = 10256;

export interface KubeProxyOptions {
  image: string;
  imagePullPolicy: PullPolicy;
  configuration: KubeProxyConfiguration;
  podCidr: string;
  /** `https://10.0.0.9:6443` */
  server: string;
}

/** Returns kube-proxy's configuration. @param kubeconfigPath Path of its kubeconfig. */
export function kubeProxyConfig(
  { configuration, podCidr }: Pick<KubeProxyOptions, "configuration" | "podCidr">,
  kubeconfigPath = `${FOLDER}/kubeconfig.conf`,
): KubeProxyConfiguration {
  return { ...configuration, clusterCIDR: podCidr, clientConnection: { kubeconfig: kubeconfigPath } };
}

/** Returns the objects of kube-proxy, as kubeadm installs them. */
export function kubeProxyManifests(options: KubeProxyOptions): KubernetesObject[] {
  const data = dataOf(options);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    clusterRoleBinding("kubewright:node-proxier", "system:node-proxier", { kind: "ServiceAccount", name, namespace }),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels: { app: name } }, data },
    daemonSet(options, data),
  ];
}

/** Returns the revision of kube-proxy's pods. It changes with their image and their ConfigMap. */
export function kubeProxyRevision(options: KubeProxyOptions): string {
  return revisionOf(options, dataOf(options));
}

function revisionOf({ image }: Pick<KubeProxyOptions, "image">, data: Record<string, string>): string {
  return configHash({ ...data, image });
}

function dataOf(options: KubeProxyOptions): Record<string, string> {
  return {
    "config.conf": yamlText(kubeProxyConfig(options)),
    "kubeconfig.conf": yamlText(serviceAccountKubeconfig(options.server)),
  };
}

/** Returns a kubeconfig for the service account of the pod. */
function serviceAccountKubeconfig(server: string): object {
  const account = "/var/run/secrets/kubernetes.io/serviceaccount";
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "default", cluster: { "certificate-authority": `${account}/ca.crt`, server } }],
    contexts: [{ name: "default", context: { cluster: "default", namespace: "default", user: "default" } }],
    users: [{ name: "default", user: { tokenFile: `${account}/token` } }],
    "current-context": "default",
  };
}

function daemonSet({ image, imagePullPolicy }: KubeProxyOptions, data: Record<string, string>): KubernetesObject {
  const labels = { "k8s-app": name };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      // Kubewright replaces the pods once all nodes have the image.
      updateStrategy: { type: "OnDelete" },
      template: {
        metadata: { labels, annotations: { [CONFIG_ANNOTATION]: revisionOf({ image }, data) } },
        spec: {
          hostNetwork: true,
          priorityClassName: "system-node-critical",
          serviceAccountName: name,
          nodeSelector: { "kubernetes.io/os": "linux" },
          tolerations: [{ operator: "Exists" }],
          containers: [
            {
              name,
              image,
              imagePullPolicy,
              command: [
                "/usr/local/bin/kube-proxy",
                `--config=${FOLDER}/config.conf`,
                "--hostname-override=$(NODE_NAME)",
              ],
              env: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
              readinessProbe: {
                httpGet: { host: "127.0.0.1", port: PROXY_HEALTH_PORT, path: "/healthz" },
                periodSeconds: 1,
              },
              securityContext: { privileged: true },
              volumeMounts: [
                { name, mountPath: FOLDER },
                { name: "xtables-lock", mountPath: "/run/xtables.lock" },
                { name: "lib-modules", mountPath: "/lib/modules", readOnly: true },
              ],
            },
          ],
          volumes: [
            { name, configMap: { name } },
            { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
            { name: "lib-modules", hostPath: { path: "/lib/modules" } },
          ],
        },
      },
    },
  };
}
