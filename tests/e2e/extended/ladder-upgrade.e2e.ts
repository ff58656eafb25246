import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { kubectlOf, kubeletVersions, waitForPods, type Kubectl } from "../../support/cluster-client";
import type { LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";
import { deployWorkload, startLoad } from "../../support/workload";

const LEAST_REQUESTS = 1_000;
const TO = newestVersion(loadVersions());
const FROM = previousVersion(loadVersions());
const etcdOf = (version: string) => loadVersions().kubernetes.supported[version]?.etcd ?? "";
/** CoreDNS's tags: of the version's official image, and of the one that is built for every version. */
const { components, kubernetes } = loadVersions();
const corednsTags = [kubernetes.supported[TO]?.coredns ?? "", `v${components.coredns.version}`];
const BAD_FLAG = "controlPlane.extraArgs.apiServer.no-such-flag";
const SNAPSHOTS = "/var/lib/kubewright/etcd-snapshots";

/** The ladder at its top rung: one control plane and one worker. */
const stack = new TestStack("e2e-ladder-upgrade");
let kubectl: Kubectl;
let client: LoadClient;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const settings = ["bootstrap=components", "workers.count=1", `kubernetes.version=${FROM}`, "extras=true"];
  const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await waitForPods(kubectl);
  await deployWorkload(stack, kubectl);
  const [container = ""] = await stack.containers("control-plane-1");
  client = await startLoad(kubectl, { container, node: "worker-1" });
});

afterAll(async () => {
  await client?.stop();
  await stack.down("--force");
  stack.removeFiles();
});

describe(`a ladder cluster from ${FROM} to ${TO}`, () => {
  test("the plan names the versions and the nodes in order, and changes nothing", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--plan");
    expect(code, text).toBe(0);
    expect(text).toContain(`Upgrade: ${FROM} -> ${TO}`);
    expect(text).toContain("control-plane-1: a snapshot of etcd, then the static pods, then the kubelet");
    expect(text).toContain(`pool workers: worker-1 (${FROM}), drained, then the kubelet`);
    expect(await versionsOf("kube-apiserver")).toEqual([FROM]);
  });

  test("an API server that does not start is put back and named, and nothing after it changes", async () => {
    const { code, text } = await stack.up("--config", `kubernetes.version=${TO}`, "--config", `${BAD_FLAG}=1`);
    expect(code, text).not.toBe(0);
    expect(text).toMatch(/unknown flag: --no-such-flag/);
    expect(text).toContain("kube-apiserver is healthy again");
    expect(text).toContain("etcd keeps its version, with which this API server works");
    expect(await versionsOf("kube-apiserver")).toEqual([FROM]);
    expect(await versionsOf("kube-controller-manager")).toEqual([FROM]);
    expect(await versionsOf("kube-scheduler")).toEqual([FROM]);
    expect(await kubeletVersions(kubectl)).toEqual([FROM, FROM]);
    expect(await stack.on("control-plane-1", `ls ${SNAPSHOTS}`)).toContain(`before-${TO}.db`);
    // The controller manager has lost its lease, and the kubelet starts it again after its back-off.
    await waitForPods(kubectl);
    expect(await imagesOf("component=etcd")).toEqual([expect.stringMatching(new RegExp(`:v?${etcdOf(TO)}$`))]);
    await stack.check();
    report("a failed upgrade of the API server");
  });

  test("the status shows what waits", async () => {
    const { text } = await stack.npmRun("status");
    expect(text).toMatch(new RegExp(`upgrade +${FROM} -> ${TO}: 0 of 2 nodes done`));
    expect(text).toMatch(/waits +control-plane-1 .*its API server has not changed/);
  });

  test("the next run goes on without the flag, and every component runs the new version", async () => {
    const removed = await stack.pulumi("config", "rm", "--path", `kubewright:${BAD_FLAG}`);
    expect(removed.code, removed.text).toBe(0);
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(/worker-1 is drained \(\d+ pods\) to replace its kubelet/);
    await waitForPods(kubectl); // and until no pod of the version before is left
    for (const component of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
      expect(await versionsOf(component), component).toEqual([TO]);
    expect(await imagesOf("component=etcd")).toEqual([expect.stringMatching(new RegExp(`:v?${etcdOf(TO)}$`))]);
    expect(await kubeletVersions(kubectl)).toEqual([TO, TO]);
    const proxies = await imagesOf("k8s-app=kube-proxy");
    expect(proxies).toHaveLength(2);
    for (const image of proxies) expect(image).toMatch(new RegExp(`:v${TO}$`));
    for (const image of await imagesOf("k8s-app=kube-dns")) expect(corednsTags).toContain(image.split(":").pop());
    await stack.check();
    report("the upgrade");
  });

  test("the kubelet of the worker changed after that of the control plane, and kube-proxy after both", async () => {
    const [first, second] = [await kubeletStart("control-plane-1"), await kubeletStart("worker-1")];
    expect(second).toBeGreaterThanOrEqual(first);
    for (const start of await startsOf("k8s-app=kube-proxy")) expect(start).toBeGreaterThanOrEqual(second);
  });

  test("then there is nothing to change, and nothing to upgrade", async () => {
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
    expect((await stack.npmRun("upgrade", "--to", TO, "--plan")).text).toContain("Nothing to upgrade");
    expect((await stack.npmRun("status")).text).not.toMatch(/^upgrade/m);
  });

  test("no request was lost", async () => {
    const { total, failed, failures } = await client.stop();
    process.stdout.write(`    e2e-ladder-upgrade │ ${total} requests, ${failed} failed\n`);
    expect(total).toBeGreaterThan(LEAST_REQUESTS);
    expect(failures).toEqual([]);
  });

  test("a version before is refused at preview", async () => {
    const { code, text } = await stack.npmRun("preview", "--config", `kubernetes.version=${FROM}`);
    expect(code, text).toBe(1);
    expect(text).toContain(`Kubernetes cannot be downgraded from ${TO} to ${FROM}`);
  });
});

/** Images of the running containers of pods with a label. */
async function imagesOf(label: string): Promise<string[]> {
  const path = "jsonpath={.items[*].spec.containers[0].image}";
  return (await kubectl("-n", "kube-system", "get", "pods", "-l", label, "-o", path)).split(" ").filter(Boolean);
}

/** Versions of the running static pods of a component, without the prefix `v`. */
async function versionsOf(component: string): Promise<string[]> {
  const images = await imagesOf(`component=${component}`);
  return images.map((image) => image.slice(image.lastIndexOf(":v") + 2));
}

/** Seconds since the epoch at which the containers of pods with a label started. */
async function startsOf(label: string): Promise<number[]> {
  const path = "jsonpath={.items[*].status.containerStatuses[0].state.running.startedAt}";
  const times = await kubectl("-n", "kube-system", "get", "pods", "-l", label, "-o", path);
  return times.split(" ").map((time) => Date.parse(time) / 1_000);
}

/** Seconds since the epoch at which a machine's kubelet started. */
async function kubeletStart(machine: string): Promise<number> {
  return Number(await stack.on(machine, 'date -d "$(systemctl show -p ActiveEnterTimestamp --value kubelet)" +%s'));
}

function report(what: string): void {
  const { total, failed, failures } = client.load;
  const numbers = `${failed} of ${total} requests failed ${failures.join("; ")}`;
  process.stdout.write(`    e2e-ladder-upgrade │ ${what}: ${numbers}\n`);
}
