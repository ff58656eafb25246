import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { networkName } from "../../../provider/docker/network";
import { applyManifest, internalAddress, kubectlOf, waitForNodes, type Kubectl } from "../../support/cluster-client";
import { LoadClient, loadSince, waitForAnswers, type LoadSpec } from "../../support/load-client";
import { manifest } from "../../support/manifests";
import { OwnMachine } from "../../support/own-machine";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const WORKERS = ["worker-1", "worker-2"];
const DOWN_SECONDS = 60;
/** Aims for each event. The times include those of a busy test host. */
const MOST_FAILURES = 3;
const LONGEST_GAP_MS = 5_000;

const stack = new TestStack("e2e-ha");
let kubectl: Kubectl;
/** Sends requests from outside of the cluster. */
let client: OwnMachine;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "controlPlane.count=3", "--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  client = await OwnMachine.start({
    hostname: "client",
    network: networkName(String((await stack.outputs()).stackId)),
    hostNumber: 5,
  });
});

afterAll(async () => {
  await client?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

test("every node has a balancer, and the API server's name leads to it", async () => {
  for (const node of [...CONTROL_PLANES, ...WORKERS]) {
    expect(await stack.on(node, "systemctl is-active kubewright-api-balancer")).toBe("active");
    expect(await stack.on(node, "getent hosts api.e2e-ha.internal")).toMatch(/^127\.0\.0\.1 /);
    expect(await stack.on(node, "curl -sk https://api.e2e-ha.internal:7443/readyz")).toBe("ok");
  }
  expect(await stack.on("worker-1", "grep server: /etc/kubernetes/kubelet.conf")).toContain("api.e2e-ha.internal:7443");
});

describe("while clients send requests", () => {
  const seconds = 1_800;
  let workload: LoadClient;
  let reads: LoadClient;
  let writes: LoadClient;

  beforeAll(async () => {
    const url = `http://${await internalAddress(kubectl, "worker-2")}:30080/hostname`;
    const load = (most: number): LoadSpec => ({ container: client.container, url, perSecond: 50, most, seconds });
    await waitForAnswers(load(20));
    workload = new LoadClient(load(90_000));
    ({ reads, writes } = await startProber());
  });

  afterAll(async () => {
    for (const each of [workload, reads, writes]) await each?.stop();
  });

  /** Reads and writes ten times a second through the balancer of worker-1. */
  async function startProber(): Promise<{ reads: LoadClient; writes: LoadClient }> {
    await kubectl("create", "namespace", "probe");
    await kubectl("-n", "probe", "create", "serviceaccount", "prober");
    await kubectl(
      "-n",
      "probe",
      "create",
      "rolebinding",
      "prober",
      "--clusterrole=edit",
      "--serviceaccount=probe:prober",
    );
    const token = await kubectl("-n", "probe", "create", "token", "prober", "--duration=2h");
    const [container = ""] = await stack.containers("worker-1");
    const url = "https://127.0.0.1:7443/api/v1/namespaces/probe/configmaps";
    const spec = { container, perSecond: 10, most: 18_000, seconds };
    const more = ["--insecure", "--header", `Authorization: Bearer ${token.trim()}`];
    const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "probe-" } });
    const post = ["--request", "POST", "--header", "Content-Type: application/json", "--data", body];
    return {
      reads: new LoadClient({ ...spec, url: `${url}/kube-root-ca.crt`, more }),
      writes: new LoadClient({ ...spec, url, more: [...more, ...post] }),
    };
  }

  test.each(CONTROL_PLANES)("a minute without %s leaves the workers Ready", async (name) => {
    const [container = ""] = await stack.containers(name);
    const loads = { workload, reads, writes };
    const before = { workload: workload.mark(), reads: reads.mark(), writes: writes.mark() };
    execFileSync("docker", ["stop", "-t", "1", container]);
    await new Promise((resolve) => setTimeout(resolve, DOWN_SECONDS * 1_000));
    for (const [kind, load] of Object.entries(loads)) {
      const { total, failed } = loadSince(before[kind as keyof typeof before], load);
      const { longestGap } = load;
      const { failures } = load.load;
      const text = `${name} down: ${kind}: ${total} requests, ${failed} failed, longest gap ${longestGap / 1_000} s`;
      process.stdout.write(`    e2e-ha │ ${text} ${failures.slice(-3).join("; ")}\n`);
      expect(failed, text).toBeLessThanOrEqual(kind === "workload" ? 0 : MOST_FAILURES);
      expect(longestGap, text).toBeLessThan(LONGEST_GAP_MS);
    }
    expect(await readyWorkers()).toEqual(WORKERS);
    execFileSync("docker", ["start", container]);
    await untilReady(name);
  });

  /** `npm run kubeconfig` selects a control plane that is ready. */
  async function readyWorkers(): Promise<string[]> {
    const ask = await kubectlOf(stack);
    const ready =
      'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
    const nodes = await ask("get", "nodes", "-o", ready);
    return nodes.split("\n").flatMap((line) => /^(worker\S*) True$/.exec(line)?.[1] ?? []);
  }

  async function untilReady(name: string): Promise<void> {
    await until(
      async () => {
        const answer = await stack.on(name, "curl -sk https://127.0.0.1:6443/readyz || true").catch(() => "");
        return answer === "ok" ? true : undefined;
      },
      { signal: AbortSignal.timeout(300_000), timeout: 300, onTimeout: () => new Error(`${name} does not come back`) },
    );
    kubectl = await kubectlOf(stack);
    await waitForNodes(kubectl, ...CONTROL_PLANES, ...WORKERS);
  }
});
