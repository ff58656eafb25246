import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { readWithCause } from "../kube/errors";
import { isPodReady } from "../kube/pods";
import type { Remote } from "../ssh/remote";

const NAMESPACE = "kube-system";
const HASH_ANNOTATION = "kubernetes.io/config.hash";
const MANIFESTS = "/etc/kubernetes/manifests";
const POLL_MS = 1_000;

/** Checksum of each manifest, by component: `kube-apiserver`. */
export type Manifests = ReadonlyMap<string, string>;

/** Reads the checksums of the control plane's manifests. */
export async function readManifests(machine: Remote, signal: AbortSignal): Promise<Manifests> {
  const script = `cd ${MANIFESTS} 2>/dev/null && sha256sum -- *.yaml 2>/dev/null; true`;
  const { stdout } = await machine.run(script, { step: "reading the control plane's manifests", signal });
  return new Map(
    stdout.split("\n").flatMap((line): [string, string][] => {
      const [, checksum, component] = /^([0-9a-f]{64}) [ *](.+)\.yaml$/.exec(line) ?? [];
      return checksum !== undefined && component !== undefined ? [[component, checksum]] : [];
    }),
  );
}

/** Returns the components whose manifest has changed. */
export function changedComponents(before: Manifests, after: Manifests): string[] {
  return [...after].filter(([component, checksum]) => before.get(component) !== checksum).map(([name]) => name);
}

/** Reads the hash of each component's running static pod, as its mirror pod reports it. */
export async function readPodHashes(api: KubeApi, node: string): Promise<Map<string, string>> {
  const { items } = await api.core.listNamespacedPod({ namespace: NAMESPACE, fieldSelector: `spec.nodeName=${node}` });
  return new Map(
    items.flatMap(({ metadata }): [string, string][] => {
      const hash = metadata?.annotations?.[HASH_ANNOTATION];
      const component = metadata?.name?.endsWith(`-${node}`) ? metadata.name.slice(0, -node.length - 1) : undefined;
      return hash !== undefined && component !== undefined ? [[component, hash]] : [];
    }),
  );
}

interface WaitOptions {
  node: string;
  /** Components whose manifest has changed. */
  components: readonly string[];
  /** Hashes of the pods before the change. */
  before: ReadonlyMap<string, string>;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/**
 * Waits until the kubelet runs the new static pods and they are Ready. The answer of an API server alone would prove
 * nothing: the previous one answers until the kubelet stops it.
 * @throws StepError that names the component and its last state
 */
export async function waitForNewPods(api: KubeApi, options: WaitOptions): Promise<void> {
  for (const component of options.components) {
    options.status(`waiting for the new ${component}`);
    await waitForNewPod(api, component, options);
  }
}

async function waitForNewPod(api: KubeApi, component: string, options: WaitOptions): Promise<void> {
  const { node, before, timeout, signal } = options;
  const name = `${component}-${node}`;
  let lastCause = "";
  await until(
    async () => {
      const describe = (pod: V1Pod | undefined) => describePod(pod, before.get(component));
      const { answer, cause } = await readWithCause(
        api.core.readNamespacedPod({ name, namespace: NAMESPACE }),
        describe,
      );
      lastCause = cause;
      return answer && cause === "" ? true : undefined;
    },
    {
      signal,
      timeout,
      patience: api.patience,
      every: POLL_MS,
      onTimeout: (seconds) =>
        new StepError({
          step: `starting the new ${component}`,
          machine: node,
          cause: `${lastCause} after ${seconds} s`,
          action:
            `run \`crictl ps -a --name ${component}\` and \`crictl logs\` on the machine, ` +
            "correct the setting that was changed and run again",
        }),
    },
  );
}

/** @returns why the new pod is not running, or an empty text when it is */
function describePod(pod: V1Pod | undefined, previousHash: string | undefined): string {
  if (!pod) return "the kubelet has not started the pod";
  const hash = pod.metadata?.annotations?.[HASH_ANNOTATION];
  if (hash === undefined || hash === previousHash) return "the kubelet still runs the previous pod";
  if (isPodReady(pod)) return "";
  const [container] = pod.status?.containerStatuses ?? [];
  const state = container?.state?.waiting ?? container?.state?.terminated;
  return [`the new pod is not Ready`, state?.reason, state?.message].filter(Boolean).join(": ");
}
