import type { Kubectl } from "./cluster-client";
import { LoadClient, loadSince, type Load } from "./load-client";
import type { TestStack } from "./test-stack";

const NAMESPACE = "probe";
const URL = `https://127.0.0.1:7443/api/v1/namespaces/${NAMESPACE}/configmaps`;

/** Clients of the API that read and write ten times a second through the balancer of a node. */
export interface ApiProber {
  reads: LoadClient;
  writes: LoadClient;
}

/** Starts a prober on a node, with a token that may edit one namespace. */
export async function startApiProber(
  stack: TestStack,
  kubectl: Kubectl,
  { node, seconds }: { node: string; seconds: number },
): Promise<ApiProber> {
  const edit = ["--clusterrole=edit", `--serviceaccount=${NAMESPACE}:prober`];
  await kubectl("create", "namespace", NAMESPACE);
  await kubectl("-n", NAMESPACE, "create", "serviceaccount", "prober");
  await kubectl("-n", NAMESPACE, "create", "rolebinding", "prober", ...edit);
  const token = await kubectl("-n", NAMESPACE, "create", "token", "prober", "--duration=2h");
  const [container = ""] = await stack.containers(node);
  const spec = { container, perSecond: 10, most: seconds * 10, seconds };
  const more = ["--insecure", "--header", `Authorization: Bearer ${token.trim()}`];
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "probe-" } });
  const post = ["--request", "POST", "--header", "Content-Type: application/json", "--data", body];
  return {
    reads: new LoadClient({ ...spec, url: `${URL}/kube-root-ca.crt`, more }),
    writes: new LoadClient({ ...spec, url: URL, more: [...more, ...post] }),
  };
}

/** What a client did since it was marked: `1200 requests, 0 failed, longest gap 0.2 s`, and its last failures. */
export interface Measured {
  failed: number;
  /** Milliseconds. */
  longestGap: number;
  text: string;
}

export function measureSince(before: Load, client: LoadClient): Measured {
  const { total, failed } = loadSince(before, client);
  const { longestGap } = client;
  const failures = failed > 0 ? `: ${client.load.failures.slice(-3).join("; ")}` : "";
  const text = `${total} requests, ${failed} failed, longest gap ${longestGap / 1_000} s${failures}`;
  return { failed, longestGap, text };
}
