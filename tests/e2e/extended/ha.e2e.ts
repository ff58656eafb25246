import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { kubectlOf, waitForNodes } from "../../support/cluster-client";
import { HaProbes } from "../../support/ha-probes";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const WORKERS = ["worker-1", "worker-2"];
const DOWN_SECONDS = 60;
const FAULT_SECONDS = 20;
/** Aims for each event. The times include those of a busy test host. */
const MOST_FAILURES = 3;
const LONGEST_GAP_MS = 6_000;

const stack = new TestStack("e2e-ha");
let probes: HaProbes;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "controlPlane.count=3", "--config", "extras=true");
  expect(code, text).toBe(0);
  probes = await HaProbes.start(stack);
});

afterAll(async () => {
  await probes?.stop();
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

test("CoreDNS' replicas run on different nodes", async () => {
  const kubectl = await kubectlOf(stack);
  const nodes = "jsonpath={range .items[*]}{.spec.nodeName}{'\\n'}{end}";
  const all = (await kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", nodes)).trim();
  expect(new Set(all.split("\n")).size, all).toBe(2);
});

const DROP = "INPUT -p tcp -m multiport --dports 6443,2379,2380 ! -i lo -j DROP";

describe("while clients send requests", () => {
  test.each(CONTROL_PLANES)("a minute without %s leaves the workers Ready", async (name) => {
    const [container = ""] = await stack.containers(name);
    await expectFewFailures(`${name} stopped for a minute`, async () => {
      execFileSync("docker", ["stop", "-t", "1", container]);
      await seconds(DOWN_SECONDS);
      expect(await readyWorkers()).toEqual(WORKERS);
      execFileSync("docker", ["start", container]);
      await untilReady(name);
    });
  });

  test.each(CONTROL_PLANES)("a killed API server on %s is not noticed", async (name) => {
    await expectFewFailures(`API server of ${name} killed`, async () => {
      await stack.on(name, "pkill -9 -x kube-apiserver");
      await seconds(FAULT_SECONDS);
      await untilReady(name);
    });
  });

  test.each(CONTROL_PLANES)("a control plane whose packets are dropped is avoided: %s", async (name) => {
    await expectFewFailures(`packets to ${name} dropped`, async () => {
      await stack.on(name, `iptables -I ${DROP}`);
      await seconds(FAULT_SECONDS);
      await stack.on(name, `iptables -D ${DROP}`);
      await untilReady(name);
    });
  });
});

async function expectFewFailures(event: string, work: () => Promise<void>): Promise<void> {
  const results = await probes.during(event, work);
  expect(results.workload.failed).toBe(0);
  for (const probe of ["reads", "writes"] as const) {
    expect(results[probe].failed, probe).toBeLessThanOrEqual(MOST_FAILURES);
    expect(results[probe].longestGap, probe).toBeLessThan(LONGEST_GAP_MS);
  }
  // A query to a pod on a stopped machine fails until its node counts as NotReady. Resolvers repeat it.
  expect(results.dns.longestGap, "dns").toBeLessThan(LONGEST_GAP_MS);
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}

/** `npm run kubeconfig` selects a control plane that is ready. */
async function readyWorkers(): Promise<string[]> {
  const kubectl = await kubectlOf(stack);
  const status = '{.status.conditions[?(@.type=="Ready")].status}';
  const nodes = await kubectl("get", "nodes", "-o", `jsonpath={range .items[*]}{.metadata.name} ${status}{"\\n"}{end}`);
  return nodes.split("\n").flatMap((line) => /^(worker\S*) True$/.exec(line)?.[1] ?? []);
}

/** Waits until a control plane serves again, and its node is Ready. */
async function untilReady(name: string): Promise<void> {
  await until(
    async () => {
      const answer = await stack.on(name, "curl -sk https://127.0.0.1:6443/readyz || true").catch(() => "");
      return answer === "ok" ? true : undefined;
    },
    { signal: AbortSignal.timeout(300_000), timeout: 300, onTimeout: () => new Error(`${name} does not come back`) },
  );
  await waitForNodes(await kubectlOf(stack), ...CONTROL_PLANES, ...WORKERS);
}
