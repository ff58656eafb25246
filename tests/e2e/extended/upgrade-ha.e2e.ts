import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { measureSince, startApiProber } from "../../support/api-prober";
import { kubeletVersions, kubectlOf, waitForPods, type Kubectl } from "../../support/cluster-client";
import type { Load, LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";
import { loadVersions } from "../../../artifacts/index";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const NODES = [...CONTROL_PLANES, "worker-1"];
const LONGEST_SECONDS = 1_800;
/** Aims, on a busy test host. */
const MOST_FAILURES = 0;
const LONGEST_GAP_MS = 3_000;

const TO = newestVersion(loadVersions());
const FROM = previousVersion(loadVersions());

const stack = new TestStack("e2e-upgrade-ha");
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const settings = [`kubernetes.version=${FROM}`, "controlPlane.count=3", "workers.count=1"];
  const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await waitForPods(kubectl);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe(`three control planes from ${FROM} to ${TO}, while clients read and write through a worker's balancer`, () => {
  let clients: Record<"reads" | "writes", LoadClient>;
  let before: Record<"reads" | "writes", Load>;

  beforeAll(async () => {
    clients = { ...(await startApiProber(stack, kubectl, { node: "worker-1", seconds: LONGEST_SECONDS })) };
  });
  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) await client.stop();
  });

  const mark = () => (before = { reads: clients.reads.mark(), writes: clients.writes.mark() });
  function expectNoInterruption(what: string): void {
    for (const kind of ["reads", "writes"] as const) {
      const { failed, longestGap, text } = measureSince(before[kind], clients[kind]);
      process.stdout.write(`    e2e-upgrade-ha │ ${what}: ${kind}: ${text}\n`);
      expect(failed, `${what}: ${text}`).toBeLessThanOrEqual(MOST_FAILURES);
      expect(longestGap, `${what}: ${text}`).toBeLessThan(LONGEST_GAP_MS);
    }
  }

  test("SIGKILL while the first control plane's etcd restarts interrupts no client", async () => {
    mark();
    await upgradeUntilKilled(/control-plane-1-control-plane: .*etcd to become healthy/);
    expectNoInterruption("killed while etcd restarts");
    expect(await kubeletVersions(await kubectlOf(stack))).toEqual(NODES.map(() => FROM));
  });

  test("the next run goes on; SIGKILL while the second one's API server restarts interrupts no client", async () => {
    mark();
    await upgradeUntilKilled(/control-plane-2-control-plane: .*kube-apiserver to become healthy/);
    expectNoInterruption("killed while the API server restarts");
    expect(await kubeletVersions(await kubectlOf(stack))).toEqual([TO, FROM, FROM, FROM]);
  });

  test("the run after it goes on to the end, and interrupts no client", async () => {
    mark();
    const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--yes");
    expect(code, text).toBe(0);
    expectNoInterruption("the upgrade");
    await stack.check();
    expect(await kubeletVersions(await kubectlOf(stack))).toEqual(NODES.map(() => TO));
  });

  test("no control plane is left out of the balancers", async () => {
    const states = async () => await Promise.all(NODES.map((node) => stack.on(node, STATES)));
    await expect.poll(states, { timeout: 30_000 }).toEqual(NODES.map(() => "UP UP UP"));
  });
});

/** Prints the states of the control planes in a node's balancer. It checks each of them about once a second. */
const STATES = `echo 'show stat' | socat - UNIX-CONNECT:/run/kubewright-api-balancer.sock |
awk -F, '$1 == "apiservers" && $2 != "BACKEND" {print $18}' | xargs`;

/** Starts the upgrade, and kills all its processes once its output matches. */
async function upgradeUntilKilled(when: RegExp): Promise<void> {
  let text = "";
  let isKilled = false;
  const onText = (chunk: string) => {
    text += chunk;
    if (isKilled || !when.test(text)) return;
    isKilled = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  };
  const { child } = await stack.startCommand("upgrade", onText, "--to", TO, "--yes");
  const { signal } = await child;
  expect(signal, text).toBe("SIGKILL");
}
