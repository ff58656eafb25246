import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { output } from "../../../common/process";
import { until } from "../../../common/wait";
import { LABELS } from "../../../provider/docker/labels";
import { applyManifest, cordonedNodes, kubectlOf, waitForNodes, type Kubectl } from "../../support/cluster-client";
import { findGaps, findOverlaps, Heartbeats } from "../../support/heartbeats";
import { manifest } from "../../support/manifests";
import { TestStack, type Finished } from "../../support/test-stack";

const POD = "heartbeat-0";
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
/** Drops every packet from and to the machine. Its pods go on running. */
const PARTITION = `nft -f - <<'END'
table inet partition {
  chain in { type filter hook input priority -300; iifname != "lo" drop; }
  chain out { type filter hook output priority -300; oifname != "lo" drop; }
  chain forwarded { type filter hook forward priority -300; drop; }
}
END`;
/** The error of a node whose machine may still run. */
const NO_PROOF = /the kubelet does not respond; .*does not answer SSH, which does not prove that it is off/;
const WAYS_OUT = /power the machine off.*--force/s;

const WORKER = "worker-1";
const CONTROL_PLANE = "control-plane-1";

const stack = new TestStack("e2e-identity-partition");
let kubectl: Kubectl;
let heartbeats: Heartbeats;
let label: string;
let container: string;
/** The proofs that the machine was off, each of which moved the pod to the control plane. */
const proofs: string[] = [];

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  await succeed(stack.up("--config", "extras=true", "--config", "workers.count=1"));
  kubectl = await kubectlOf(stack);
  label = `${LABELS.stack}=${String((await stack.outputs()).stackId)}`;
  heartbeats = new Heartbeats(label);
  await kubectl("cordon", CONTROL_PLANE);
  await applyManifest(stack, manifest("heartbeat.yaml"));
  await waitForPodOn(WORKER);
  await kubectl("uncordon", CONTROL_PLANE);
  [container = ""] = await stack.containers(WORKER);
});

afterAll(async () => {
  await heartbeats?.stop();
  await output("docker", ["unpause", container]).catch(() => undefined); // left by a failed test
  await stack.down("--force");
  stack.removeFiles();
});

describe("a worker that is cut off, with a StatefulSet's pod on it", () => {
  test("is reported as not Ready, and its pod goes on writing", async () => {
    await stack.on(WORKER, PARTITION);
    await waitUntilSilent();
    await expectBeatsOn(WORKER);
  });

  test("is not drained: the drain ends, and says what to do", async () => {
    const { code, text } = await timed("the drain ended", stack.npmRun("node:drain", WORKER, "--timeout", "10"));
    expect(code).not.toBe(0);
    expect(text).toMatch(NO_PROOF);
    expect(text).toMatch(WAYS_OUT);
    expect(await cordonedNodes(kubectl)).toEqual([]);
  });

  test("is not replaced: nothing is deleted", async () => {
    const replacement = stack.npmRun("node:replace", WORKER, "--yes", "--timeout", "10");
    const { code, text } = await timed("the replacement ended", replacement);
    expect(code).not.toBe(0);
    expect(text).toMatch(NO_PROOF);
    expect(text).toMatch(WAYS_OUT);
    expect(await stack.containers(WORKER)).toEqual([container]);
    expect(await cordonedNodes(kubectl)).toEqual([]);
    await expectBeatsOn(WORKER);
    expect(heartbeats.lives()).toHaveLength(1);
  });

  test("is drained once drain.fence has powered it off, and its pod starts on another node", async () => {
    const find = `docker ps -q --filter label=${label} --filter label=${LABELS.machine}=$KUBEWRIGHT_MACHINE`;
    stack.configure((config) => (config["kubewright:drain"] = { fence: `docker kill $(${find})` }));
    await succeed(timed("drained with the fencing command", stack.npmRun("node:drain", WORKER)));
    expect(await taintsOf(WORKER)).toContain(OUT_OF_SERVICE);
    await waitForPodOn(CONTROL_PLANE);
    report("drain.fence");
    stack.configure((config) => delete config["kubewright:drain"]);
  });

  test("comes back with the next run, without the pod", async () => {
    await succeed(stack.up("--refresh"));
    expect(await stack.containers(WORKER)).toEqual([container]);
    await succeed(stack.npmRun("node:uncordon", WORKER));
    await waitForNodes(kubectl, WORKER);
    expect(await taintsOf(WORKER)).not.toContain(OUT_OF_SERVICE);
    await expectBeatsOn(CONTROL_PLANE);
    expect(heartbeats.lives().map(({ node }) => node)).toEqual([WORKER, CONTROL_PLANE]);
  });
});

test("a worker that is cut off is replaced once Docker reports its machine as stopped", async () => {
  await movePodToWorker();
  await stack.on(WORKER, PARTITION);
  await waitUntilSilent();
  await output("docker", ["kill", container]);
  const { text } = await succeed(timed("replaced", stack.npmRun("node:replace", WORKER, "--yes")));
  expect(text).toMatch(/worker-1 was down: \d+ pods? w(as|ere) deleted without its kubelet/);
  expect(await stack.containers(WORKER)).not.toContain(container);
  await waitForPodOn(CONTROL_PLANE);
  report("Docker's report");
});

test("the next run replaces a worker whose machine was deleted, and names it", async () => {
  await movePodToWorker();
  await output("docker", ["rm", "--force", container]);
  const { text } = await succeed(timed("replaced", stack.up("--refresh")));
  expect(text).toMatch(/Machine worker-1: (created|recreated)/);
  expect(text).toMatch(/Join worker-1-join: (created|recreated)/);
  await waitForNodes(kubectl, WORKER);
  await waitForPodOn(CONTROL_PLANE);
  report("deleted machine");
});

test("a worker that the configuration names as abandoned is removed, and its pod starts on another node", async () => {
  await movePodToWorker();
  // A paused machine writes nothing and answers nothing, but Docker reports it as running.
  await output("docker", ["pause", container]);
  await waitUntilSilent();
  const config = ["workers.count=0", "recovery.abandoned[0]=worker-1"].flatMap((value) => ["--config", value]);
  const { text } = await succeed(timed("removed", stack.up(...config)));
  expect(text).toMatch(/worker-1 was down: \d+ pods? w(as|ere) deleted without its kubelet/);
  await waitForPodOn(CONTROL_PLANE);
  report("recovery.abandoned");
});

test("the pod never ran twice", () => {
  const lives = heartbeats.lives();
  expect(proofs).not.toEqual([]);
  expect(lives.map(({ node }) => node)).toEqual(proofs.flatMap(() => [WORKER, CONTROL_PLANE]));
  expect(findOverlaps(lives)).toEqual([]);
  const beats = lives.reduce((sum, life) => sum + life.beats, 0);
  show(
    `${beats} heartbeats of ${lives.length} pods, none of two pods at a time; gaps: ${findGaps(lives).join(", ")} s`,
  );
});

/** Deletes the pod where it is on the control plane, so that it starts on the worker. */
async function movePodToWorker(): Promise<void> {
  [container = ""] = await stack.containers(WORKER);
  if (heartbeats.lives().at(-1)?.node === WORKER) return;
  await kubectl("cordon", CONTROL_PLANE);
  await kubectl("delete", "pod", POD);
  await waitForPodOn(WORKER);
  await kubectl("uncordon", CONTROL_PLANE);
}

async function succeed(command: Promise<Finished>): Promise<Finished> {
  const finished = await command;
  expect(finished.code, finished.text).toBe(0);
  return finished;
}

async function timed(what: string, command: Promise<Finished>): Promise<Finished> {
  const start = Date.now();
  const finished = await command;
  show(`${what} after ${Math.round((Date.now() - start) / 1000)} s`);
  return finished;
}

function report(proof: string): void {
  proofs.push(proof);
  const lives = heartbeats.lives();
  show(`${proof}: the pod started on ${lives.at(-1)?.node} ${findGaps(lives).at(-1)} s after the last heartbeat`);
}

function show(text: string): void {
  process.stdout.write(`    ${stack.name} │ ${text}\n`);
}

async function waitUntilSilent(): Promise<void> {
  const start = Date.now();
  await kubectl("wait", `node/${WORKER}`, "--for=condition=Ready=Unknown", "--timeout=180s");
  show(`${WORKER} is not Ready ${Math.round((Date.now() - start) / 1000)} s after it was cut off`);
}

async function taintsOf(node: string): Promise<string> {
  return await kubectl("get", "node", node, "-o", "jsonpath={.spec.taints[*].key}");
}

/** Waits until the pod is Ready on the node and has written there. */
async function waitForPodOn(node: string): Promise<void> {
  const path = "jsonpath={.spec.nodeName} {.status.conditions[?(@.type=='Ready')].status}";
  await eventually(`${POD} runs on ${node}`, async () => {
    const state = await kubectl("get", "pod", POD, "-o", path).catch(() => "");
    return state === `${node} True` && heartbeats.lives().at(-1)?.node === node;
  });
}

/** Waits for another heartbeat of the newest pod. */
async function expectBeatsOn(node: string): Promise<void> {
  const last = () => heartbeats.lives().at(-1);
  const before = last()?.beats ?? 0;
  await eventually(`${POD} writes on ${node}`, async () => last()?.node === node && (last()?.beats ?? 0) > before);
}

async function eventually(condition: string, check: () => Promise<boolean>): Promise<void> {
  await until(async () => ((await check()) ? true : undefined), {
    signal: AbortSignal.timeout(240_000),
    timeout: 180,
    onTimeout: () => new Error(`after 180 s it is not true that ${condition}: ${JSON.stringify(heartbeats.lives())}`),
  });
}
