import { networkName } from "../../provider/docker/network";
import { applyManifest, internalAddress, kubectlOf, type Kubectl } from "./cluster-client";
import { type Load, LoadClient, loadSince, type LoadSpec, waitForAnswers } from "./load-client";
import { manifest } from "./manifests";
import { OwnMachine } from "./own-machine";
import type { TestStack } from "./test-stack";

const SECONDS = 2_400;
const PORT = 30_080;
/** The cluster's DNS in the default range of Services. */
const DNS = "10.96.0.10";

export interface Measurement {
  total: number;
  failed: number;
  /** Milliseconds without a success. */
  longestGap: number;
}

export type Probe = "workload" | "reads" | "writes" | "dns";

/**
 * Clients of a cluster whose control planes fail: of a workload, from outside (50 requests a second), of the API
 * through a worker's balancer (ten reads and ten writes a second), and of the cluster's DNS (five queries a second).
 */
export class HaProbes {
  private marks = new Map<Probe, Load>();

  private constructor(
    private readonly name: string,
    private readonly client: OwnMachine,
    private readonly probes: Record<Probe, LoadClient>,
  ) {}

  /** Deploys the workload, and starts all clients. The API and DNS are used on `worker-1`. */
  static async start(stack: TestStack): Promise<HaProbes> {
    const kubectl = await kubectlOf(stack);
    await applyManifest(stack, manifest("web.yaml"));
    await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
    const network = networkName(String((await stack.outputs()).stackId));
    const client = await OwnMachine.start({ hostname: "client", network, hostNumber: 5 });
    const [container = ""] = await stack.containers("worker-1");
    const url = `http://${await internalAddress(kubectl, "worker-1")}:${PORT}/hostname`;
    const load = { container: client.container, url, perSecond: 50, most: 50 * SECONDS, seconds: SECONDS };
    await waitForAnswers({ ...load, most: 20 });
    const probes = {
      workload: new LoadClient(load),
      ...(await apiProbes(kubectl, container)),
      dns: new LoadClient({ container, url: "", perSecond: 5, most: 0, seconds: SECONDS }, dnsCommand()),
    };
    return new HaProbes(stack.name, client, probes);
  }

  /** Measures all probes while an event happens, and prints the result. */
  async during(event: string, work: () => Promise<void>): Promise<Record<Probe, Measurement>> {
    for (const [probe, load] of this.entries()) this.marks.set(probe, load.mark());
    await work();
    const results = this.entries().map(([probe, load]) => [probe, this.measure(event, probe, load)] as const);
    return Object.fromEntries(results) as Record<Probe, Measurement>;
  }

  async stop(): Promise<void> {
    await this.client.remove();
  }

  private entries(): [Probe, LoadClient][] {
    return Object.entries(this.probes) as [Probe, LoadClient][];
  }

  private measure(event: string, probe: Probe, load: LoadClient): Measurement {
    const { total, failed } = loadSince(this.marks.get(probe) ?? { total: 0, failed: 0, failures: [] }, load);
    const longestGap = load.gapUntil(Date.now());
    const gap = (longestGap / 1_000).toFixed(1);
    const last = failed > 0 ? `: ${load.load.failures.at(-1) ?? ""}` : "";
    process.stdout.write(
      `    ${this.name} │ ${event}: ${probe}: ${total} requests, ${failed} failed, longest gap ${gap} s${last}\n`,
    );
    return { total, failed, longestGap };
  }
}

/** Reads and writes ten times a second through the balancer of a worker. */
async function apiProbes(kubectl: Kubectl, container: string): Promise<Record<"reads" | "writes", LoadClient>> {
  const inProbe = (...args: string[]) => kubectl("-n", "probe", ...args);
  await kubectl("create", "namespace", "probe");
  await inProbe("create", "serviceaccount", "prober");
  await inProbe("create", "rolebinding", "prober", "--clusterrole=edit", "--serviceaccount=probe:prober");
  const token = await inProbe("create", "token", "prober", "--duration=2h");
  const url = "https://127.0.0.1:7443/api/v1/namespaces/probe/configmaps";
  const spec: Omit<LoadSpec, "url"> = { container, perSecond: 10, most: 10 * SECONDS, seconds: SECONDS };
  const more = ["--insecure", "--header", `Authorization: Bearer ${token.trim()}`];
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "probe-" } });
  const post = ["--request", "POST", "--header", "Content-Type: application/json", "--data", body];
  return {
    reads: new LoadClient({ ...spec, url: `${url}/kube-root-ca.crt`, more }),
    writes: new LoadClient({ ...spec, url, more: [...more, ...post] }),
  };
}

/**
 * Sends DNS queries from a new port each, so that kube-proxy selects a pod for each. The machine has no DNS client.
 * Without the byte of a line break, at which bash would split the datagram.
 */
function dnsCommand(): string[] {
  const header = String.raw`\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00`;
  const name = String.raw`\x08kube-dns\x0bkube-system\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01`;
  const script = `while sleep 0.2; do
  exec 3<>/dev/udp/${DNS}/53
  printf '${header}${name}' >&3
  size=$(timeout 1 dd bs=512 count=1 status=none <&3 | wc -c)
  exec 3>&-
  [ "$size" -gt 40 ] && echo "200 0 " || echo "000 28 no answer"
done`;
  return ["timeout", String(SECONDS), "bash", "-c", script];
}
