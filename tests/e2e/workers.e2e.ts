import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import { networkName } from "../../provider/docker/network";
import { LoadClient, waitForAnswers, type LoadSpec } from "../support/load-client";
import { expectInOrder } from "../support/expect-in-order";
import { manifest } from "../support/manifests";
import { OwnMachine } from "../support/own-machine";
import {
  applyManifest,
  cordonedNodes,
  internalAddress,
  kubectlOf,
  nodeNames,
  waitForNodes,
  type Kubectl,
} from "../support/cluster-client";
import { TestStack, type Finished } from "../support/test-stack";

const PER_SECOND = 60;
const MOST_REQUESTS = 60_000;
const LEAST_REQUESTS = 10_000;
const LONGEST_SECONDS = 1_800;

const stack = new TestStack("e2e-workers");
let kubectl: Kubectl;
/** A machine on the cluster's network outside the stack: the load client runs on it, later it joins. */
let existing: OwnMachine;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  existing = await OwnMachine.start({
    hostname: "old-server",
    network: networkName(String((await stack.outputs()).stackId)),
    hostNumber: 5,
  });
});

afterAll(async () => {
  await existing?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

describe("while a client sends requests", () => {
  let client: LoadClient;

  beforeAll(async () => {
    const address = await internalAddress(kubectl, "control-plane-1");
    const url = `http://${address}:30080/hostname`;
    await waitForAnswers(loadOf(url, 20));
    client = new LoadClient(loadOf(url, MOST_REQUESTS));
  });

  test.each(["worker-1", "worker-2"])("replaces %s in place", async (name) => {
    const [before] = await stack.containers(name);
    const { code, text } = await stack.npmRun("node:replace", name, "--yes");
    expect(code, text).toBe(0);
    expect(text).toContain("A drain can succeed now");
    expectInOrder(
      text,
      `Node ${name}-node: old one deleted`,
      `Machine ${name}: old one deleted`,
      `Join ${name}-join: recreated`,
      `${name} is replaced, and all moved pods are running`,
    );
    expect(await stack.containers(name)).not.toContain(before);
    report(`replaced ${name}`);
  });

  test("replaces worker-1 by surge: the new worker joins before the old one leaves", async () => {
    const { code, text } = await stack.npmRun("node:replace", "worker-1", "--surge", "--yes");
    expect(code, text).toBe(0);
    expectInOrder(text, "Node worker-3-node: created", "Node worker-1-node: deleting", "Machine worker-1: deleted");
    expect(await nodeNames(kubectl)).toEqual(["control-plane-1", "worker-2", "worker-3"]);
    report("replaced worker-1 by worker-3");
  });

  test("replaces all workers of a pool one at a time", async () => {
    const machines = await stack.urnsOf("kubewright:docker:Machine", "worker-2", "worker-3");
    expect((await stack.pulumi("state", "taint", ...machines, "--yes")).code).toBe(0);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    const first =
      text.indexOf("Node worker-2-node: deleting") < text.indexOf("Node worker-3-node: deleting")
        ? "worker-2"
        : "worker-3";
    const second = first === "worker-2" ? "worker-3" : "worker-2";
    expectInOrder(
      text,
      `Node ${first}-node: old one deleted`,
      `Node ${first}-node: recreated`,
      `Node ${second}-node: old one deleted`,
      `Node ${second}-node: recreated`,
    );
    report("rolled the pool");
  });

  test("loses no request", async () => {
    await until(async () => (client.load.total >= LEAST_REQUESTS ? true : undefined), {
      signal: AbortSignal.timeout(300_000),
      timeout: 300,
      onTimeout: () => new Error("the client sent too few requests"),
    });
    const { total, failed, failures } = await client.stop();
    process.stdout.write(`    e2e-workers │ ${total} requests, ${failed} failed\n`);
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThanOrEqual(LEAST_REQUESTS);
  });

  function report(what: string): void {
    const { total, failed, failures } = client.load;
    process.stdout.write(`    e2e-workers │ ${what}: ${total} requests, ${failed} failed ${failures.join("; ")}\n`);
  }
});

describe("a PodDisruptionBudget that allows no disruption", () => {
  const budget = (least: number) =>
    kubectl("patch", "pdb/web", "--type=merge", "-p", JSON.stringify({ spec: { minAvailable: least } }));

  test("ends a drain at its deadline, with the budget in the error and the node uncordoned", async () => {
    await budget(4);
    const { code, text } = await stack.npmRun("node:drain", "worker-2", "--timeout", "10");
    expect(code).not.toBe(0);
    expect(text).toContain("PodDisruptionBudget default/web");
    expect(text).toContain("after 10 s");
    expect(await cordonedNodes(kubectl)).toEqual([]);
  });

  test("ends a replacement before it deletes anything, with the budget in the preview", async () => {
    const before = await stack.containers("worker-2");
    const { code, text } = await stack.npmRun("node:replace", "worker-2", "--yes", "--timeout", "10");
    expect(code).not.toBe(0);
    expect(text).toMatch(/would be held up now by:\n.*PodDisruptionBudget default\/web/);
    expect(await cordonedNodes(kubectl)).toEqual([]);
    expect(await stack.containers("worker-2")).toEqual(before);
  });

  test("a second command fails with the name of the command that locks the stack", async () => {
    const second = new Promise<Finished>((done) => {
      const whenLocked = (text: string) =>
        /pods? remaining.*PodDisruptionBudget/.test(text) && done(stack.npmRun("node:drain", "worker-3"));
      void stack.startCommand("node-drain", whenLocked, "worker-2", "--timeout", "30").then(({ child }) => child);
    });
    const { code, text } = await second;
    expect(code).not.toBe(0);
    expect(text).toMatch(/it is locked: \S+ runs `npm run node:drain`/);
    await until(async () => ((await cordonedNodes(kubectl)).length === 0 ? true : undefined), {
      signal: AbortSignal.timeout(60_000),
      timeout: 60,
      onTimeout: () => new Error("the first drain did not end"),
    });
    await budget(3);
  });
});

describe("failures", () => {
  test("the next run completes an interrupted replacement", async () => {
    const [before] = await stack.containers("worker-2");
    let output = "";
    let interrupted = false;
    const { child } = await stack.startCommand(
      "node-replace",
      (text) => {
        output += text;
        if (interrupted || !output.includes("Node worker-2-node: old one deleted")) return;
        interrupted = true;
        process.kill(child.pid ?? 0, "SIGINT");
      },
      "worker-2",
      "--yes",
    );
    expect((await child).exitCode, output).toBe(130);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(await stack.containers("worker-2")).not.toContain(before);
    await waitForNodes(kubectl, "worker-2", "worker-3");
  });

  test("replaces a worker whose machine has stopped", async () => {
    const [container = ""] = await stack.containers("worker-3");
    execFileSync("docker", ["stop", "-t", "1", container]);
    await kubectl("wait", "node/worker-3", "--for=condition=Ready=Unknown", "--timeout=120s");
    const { code, text } = await stack.npmRun("node:replace", "worker-3", "--yes");
    expect(code, text).toBe(0);
    await waitForNodes(kubectl, "worker-2", "worker-3");
  });

  test("the next run joins a worker whose machine stopped during its join", async () => {
    const { stackId } = await stack.outputs();
    const halt = (text: string) => {
      if (!/Join worker-4-join: (kubeadm join|creating a join token)/.test(text)) return;
      const filters = [
        "--filter",
        `label=io.kubewright.stack=${String(stackId)}`,
        "--filter",
        "label=io.kubewright.machine=worker-4",
      ];
      const container = execFileSync("docker", ["ps", "-q", ...filters], { encoding: "utf8" }).trim();
      if (container) execFileSync("docker", ["stop", "-t", "1", container]);
    };
    const { child } = await stack.startCommand("node-join", halt, "--pool", "workers");
    expect((await child).exitCode).not.toBe(0);
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    await waitForNodes(kubectl, "worker-4");
  });

  test("a smaller count removes the worker with the highest number", async () => {
    const { code, text } = await stack.up("--config", "workers.count=2");
    expect(code, text).toBe(0);
    expect(await nodeNames(kubectl)).toEqual(["control-plane-1", "worker-2", "worker-3"]);
  });

  test("the next run joins a node that was reset", async () => {
    expect((await stack.npmRun("node:reset", "worker-3", "--yes")).code).toBe(0);
    expect(await nodeNames(kubectl)).toEqual(["control-plane-1", "worker-2"]);
    const left =
      "find /etc/kubernetes /var/lib/kubelet /etc/cni/net.d /opt/cni -type f; " +
      "ip -o link | grep -E 'cni0|flannel|veth'; ip route | grep 10.244; nft list tables | grep kube; true";
    expect(await stack.on("worker-3", left)).toBe("");
    expect((await stack.up()).code).toBe(0);
    await waitForNodes(kubectl, "worker-3");
  });
});

describe("an existing machine", () => {
  const files =
    "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log \\) " +
    "-prune -o -type f -print | sort";
  let before = "";

  test("joins with one command", async () => {
    before = await existing.on(`su admin -c 'sudo true'; ${files}`); // the first sudo creates a file in the user's home
    const login = ["--host", existing.address, "--user", "admin", "--key", existing.keyPath, "--name", "old-server"];
    const { code, text } = await stack.npmRun("node:join", ...login);
    expect(code, text).toBe(0);
    await waitForNodes(kubectl, "old-server");
  });

  test("leaves without leftovers when it is removed from the configuration, and keeps running", async () => {
    await existing.on("touch /root/mine");
    stack.configure((config) => delete (config["kubewright:workers"] as { hosts?: unknown }).hosts);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expectInOrder(text, "Node old-server-node: deleted", "Join old-server-join: deleted");
    expect(await nodeNames(kubectl)).not.toContain("old-server");
    expect((await existing.on(files)).split("\n").filter((file) => !before.split("\n").includes(file))).toEqual([
      "/root/mine",
    ]);
    expect(await existing.on("ip route | grep 10.244; nft list tables | grep kube; true")).toBe("");
  });
});

function loadOf(url: string, most: number): LoadSpec {
  return { container: existing.container, url, perSecond: PER_SECOND, most, seconds: LONGEST_SECONDS };
}
