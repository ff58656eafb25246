import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import { networkName } from "../../provider/docker/network";
import { LoadClient, type LoadSpec } from "../support/load-client";
import { inOrder } from "../support/in-order";
import { manifest } from "../support/manifests";
import { OwnMachine } from "../support/own-machine";
import { TestStack, kubectlOf, type Finished } from "../support/test-stack";

const PER_SECOND = 60;
const MOST = 60_000;
const ENOUGH = 10_000;
const MOST_SECONDS = 1_800;

const stack = new TestStack("e2e-workers");
let kubectl: (...args: string[]) => Promise<string>;
let kubectlPath = "";
/** A machine on the cluster's network that no stack made: first the client asks from it, later it is joined. */
let other: OwnMachine;

beforeAll(async () => {
  await stack.down("--force"); // what a killed test run may have left
  const { code, text } = await stack.up("--config", "extras=true", "--config", "workers.kubelet.maxPods=250");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  kubectlPath = String((await stack.outputs()).kubectlPath);
  await apply("web.yaml");
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  other = await OwnMachine.start({
    hostname: "old-server",
    network: networkName(String((await stack.outputs()).stackId)),
    place: 5,
  });
});

afterAll(async () => {
  await other?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

describe("while a client asks", () => {
  let client: LoadClient;

  beforeAll(async () => {
    const address = await kubectl(
      "get",
      "node",
      "control-plane-1",
      "-o",
      "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}",
    );
    const url = `http://${address}:30080/hostname`;
    await settled(url);
    client = new LoadClient(load(url, MOST));
  });

  test.each(["worker-1", "worker-2"])("%s is replaced in place", async (name) => {
    const [before] = await stack.containers(name);
    const { code, text } = await stack.script("node:replace", name, "--yes");
    expect(code, text).toBe(0);
    expect(text).toContain("A drain can succeed now");
    inOrder(
      text,
      `Node ${name}-node: old one deleted`,
      `Machine ${name}: old one deleted`,
      `Join ${name}-join: recreated`,
      "its pods are back",
    );
    expect(await stack.containers(name)).not.toContain(before);
    report(`replaced ${name}`);
  });

  test("worker-1 is replaced by surge: the new one joins before the old one leaves", async () => {
    const { code, text } = await stack.script("node:replace", "worker-1", "--surge", "--yes");
    expect(code, text).toBe(0);
    inOrder(text, "Node worker-3-node: created", "Node worker-1-node: deleting", "Machine worker-1: deleted");
    expect(await nodes()).toEqual(["control-plane-1", "worker-2", "worker-3"]);
    report("replaced worker-1 by worker-3");
  });

  test("a change that replaces all workers takes one at a time", async () => {
    const machines = await urns("kubewright:docker:Machine", "worker-2", "worker-3");
    expect((await stack.pulumi("state", "taint", ...machines, "--yes")).code).toBe(0);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    const first =
      text.indexOf("Node worker-2-node: deleting") < text.indexOf("Node worker-3-node: deleting")
        ? "worker-2"
        : "worker-3";
    const second = first === "worker-2" ? "worker-3" : "worker-2";
    inOrder(
      text,
      `Node ${first}-node: old one deleted`,
      `Node ${first}-node: recreated`,
      `Node ${second}-node: old one deleted`,
      `Node ${second}-node: recreated`,
    );
    report("rolled the pool");
  });

  test("no request was lost", async () => {
    await until(async () => (client.load.total >= ENOUGH ? true : undefined), {
      signal: AbortSignal.timeout(300_000),
      timeout: 300,
      onTimeout: () => new Error("too slow"),
    });
    const { total, failed, failures } = await client.stop();
    process.stdout.write(`    e2e-workers │ ${total} requests, ${failed} failed\n`);
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThanOrEqual(ENOUGH);
  });

  function report(what: string): void {
    process.stdout.write(
      `    e2e-workers │ ${what}: ${client.load.total} requests so far, ${client.load.failed} failed ${client.load.failures.join("; ")}\n`,
    );
  }
});

describe("a budget that blocks", () => {
  const budget = (least: number) =>
    kubectl("patch", "pdb/web", "--type=merge", "-p", JSON.stringify({ spec: { minAvailable: least } }));

  test("is named by the drain, which ends on its deadline and leaves the node as it was", async () => {
    await budget(4);
    const { code, text } = await stack.script("node:drain", "worker-2", "--timeout", "10");
    expect(code).not.toBe(0);
    expect(text).toContain("PodDisruptionBudget default/web");
    expect(text).toContain("after 10 s");
    expect(await cordoned()).toEqual([]);
  });

  test("is named by the plan of a replacement, which then deletes nothing", async () => {
    const before = await stack.containers("worker-2");
    const { code, text } = await stack.script("node:replace", "worker-2", "--yes", "--timeout", "10");
    expect(code).not.toBe(0);
    expect(text).toMatch(/would be held up now by:\n.*PodDisruptionBudget default\/web/);
    expect(await cordoned()).toEqual([]);
    expect(await stack.containers("worker-2")).toEqual(before);
  });

  test("a second command meanwhile is told who holds the stack", async () => {
    const second = new Promise<Finished>((done) => {
      const whenHeld = (text: string) =>
        /pods remaining.*PodDisruptionBudget/.test(text) && done(stack.script("node:drain", "worker-3"));
      void stack.begin("node-drain", whenHeld, "worker-2", "--timeout", "30").then(({ child }) => child);
    });
    const { code, text } = await second;
    expect(code).not.toBe(0);
    expect(text).toMatch(/it is locked: \S+ runs `npm run node:drain`/);
    await until(async () => ((await cordoned()).length === 0 ? true : undefined), {
      signal: AbortSignal.timeout(60_000),
      timeout: 60,
      onTimeout: () => new Error("the first drain did not end"),
    });
    await budget(3);
  });
});

describe("bad luck", () => {
  test("a replacement that is interrupted is finished by the next run", async () => {
    const [before] = await stack.containers("worker-2");
    let said = "";
    let told = false;
    const { child } = await stack.begin(
      "node-replace",
      (text) => {
        said += text;
        if (told || !said.includes("Node worker-2-node: old one deleted")) return;
        told = true;
        process.kill(child.pid ?? 0, "SIGINT");
      },
      "worker-2",
      "--yes",
    );
    expect((await child).exitCode, said).toBe(130);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(await stack.containers("worker-2")).not.toContain(before);
    await ready("worker-2", "worker-3");
  });

  test("a worker whose machine stopped is replaced", async () => {
    const [container = ""] = await stack.containers("worker-3");
    execFileSync("docker", ["stop", "-t", "1", container]);
    await kubectl("wait", "node/worker-3", "--for=condition=Ready=Unknown", "--timeout=120s");
    const { code, text } = await stack.script("node:replace", "worker-3", "--yes");
    expect(code, text).toBe(0);
    await ready("worker-2", "worker-3");
  });

  test("a worker that stops half-way through its join is joined by the next run", async () => {
    const { stackId } = await stack.outputs();
    const halt = (text: string) => {
      if (!/Join worker-4-join: (kubeadm join|creating a join token)/.test(text)) return;
      const ours = [
        "--filter",
        `label=io.kubewright.stack=${String(stackId)}`,
        "--filter",
        "label=io.kubewright.machine=worker-4",
      ];
      const found = execFileSync("docker", ["ps", "-q", ...ours])
        .toString()
        .trim();
      if (found) execFileSync("docker", ["stop", "-t", "1", found]);
    };
    const { child } = await stack.begin("node-join", halt, "--pool", "workers");
    expect((await child).exitCode).not.toBe(0);
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    await ready("worker-4");
  });

  test("a smaller count removes the highest number", async () => {
    const { code, text } = await stack.up("--config", "workers.count=2");
    expect(code, text).toBe(0);
    expect(await nodes()).toEqual(["control-plane-1", "worker-2", "worker-3"]);
  });

  test("a node that is reset is joined again by the next run", async () => {
    expect((await stack.script("node:reset", "worker-3", "--yes")).code).toBe(0);
    expect(await nodes()).toEqual(["control-plane-1", "worker-2"]);
    const left =
      "find /etc/kubernetes /var/lib/kubelet /etc/cni/net.d /opt/cni -type f; ip -o link | grep -E 'cni0|flannel|veth'; ip route | grep 10.244; nft list tables | grep kube; true";
    expect(await stack.on("worker-3", left)).toBe("");
    expect((await stack.up()).code).toBe(0);
    await ready("worker-3");
  });
});

describe("a machine that somebody has already", () => {
  const files =
    "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log \\) -prune -o -type f -print | sort";
  let before = "";

  test("joins with one command", async () => {
    before = await other.on(`su admin -c 'sudo true'; ${files}`); // Debian's sudo notes its first use in the user's home
    const login = ["--host", other.address, "--user", "admin", "--key", other.keyPath, "--name", "old-server"];
    const { code, text } = await stack.script("node:join", ...login);
    expect(code, text).toBe(0);
    await ready("old-server");
  });

  test("leaves when it is taken from the configuration, with nothing of ours on it, and goes on", async () => {
    await other.on("touch /root/mine");
    stack.configure((config) => delete (config["kubewright:workers"] as { hosts?: unknown }).hosts);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    inOrder(text, "Node old-server-node: deleted", "Join old-server-join: deleted");
    expect(await nodes()).not.toContain("old-server");
    expect((await other.on(files)).split("\n").filter((file) => !before.split("\n").includes(file))).toEqual([
      "/root/mine",
    ]);
    expect(await other.on("ip route | grep 10.244; nft list tables | grep kube; true")).toBe("");
  });
});

test("300 pods on two workers", async () => {
  const start = Date.now();
  await apply("many.yaml");
  await kubectl("rollout", "status", "deploy/many", "--timeout=600s");
  const seconds = Math.round((Date.now() - start) / 1000);
  const placed = (await kubectl("get", "pods", "-l", "app=many", "-o", "jsonpath={.items[*].spec.nodeName}")).split(
    " ",
  );
  const counts = ["worker-2", "worker-3"].map((name) => placed.filter((node) => node === name).length);
  process.stdout.write(`    e2e-workers │ 300 pods Running after ${seconds} s: ${counts.join(" and ")}\n`);
  expect(counts[0]! + counts[1]!).toBe(300);
  expect(Math.max(...counts)).toBeGreaterThan(110);
});

async function apply(file: string): Promise<void> {
  execFileSync(kubectlPath, ["--kubeconfig", await stack.kubeconfig(), "apply", "-f", "-"], { input: manifest(file) });
}

function load(url: string, most: number): LoadSpec {
  return { container: other.container, url, perSecond: PER_SECOND, most, seconds: MOST_SECONDS };
}

/** The first answers tell that the node's rules are in place. */
async function settled(url: string): Promise<void> {
  const once = async () => {
    const { total, failed } = await new LoadClient(load(url, 20)).finished();
    return total === 20 && failed === 0 ? true : undefined;
  };
  await until(once, {
    signal: AbortSignal.timeout(60_000),
    timeout: 60,
    onTimeout: () => new Error(`${url} does not answer`),
  });
}

async function nodes(): Promise<string[]> {
  return (await kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")).split(" ").sort();
}

async function cordoned(): Promise<string[]> {
  return (await kubectl("get", "nodes", "-o", "jsonpath={.items[?(@.spec.unschedulable==true)].metadata.name}"))
    .split(" ")
    .filter(Boolean);
}

async function ready(...names: string[]): Promise<void> {
  await kubectl("wait", ...names.map((name) => `node/${name}`), "--for=condition=Ready", "--timeout=60s");
}

async function urns(type: string, ...names: string[]): Promise<string[]> {
  const { text } = await stack.quietly("stack", "export");
  const { deployment } = JSON.parse(text.slice(text.indexOf("{"))) as {
    deployment: { resources: { urn: string; type: string }[] };
  };
  return deployment.resources
    .filter((one) => one.type === type && names.some((name) => one.urn.endsWith(`::${name}`)))
    .map(({ urn }) => urn);
}
