import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { until } from "../../../common/wait";
import { networkName } from "../../../provider/docker/network";
import { kubeletVersions, applyManifest, internalAddress, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { LoadClient, waitForAnswers, type LoadSpec } from "../../support/load-client";
import { manifest } from "../../support/manifests";
import { OwnMachine } from "../../support/own-machine";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";

const PER_SECOND = 50;
const MOST_REQUESTS = 60_000;
const LEAST_REQUESTS = 3_000;
const LONGEST_SECONDS = 1_200;
/** A gate that the newest version no longer knows, in a file that the kubelet reads besides Kubewright's. */
const BAD_SETTING = "/etc/kubernetes/kubelet.conf.d/90-test.conf";

const NEWEST = newestVersion(loadVersions());
const PREVIOUS = previousVersion(loadVersions());

const stack = new TestStack("e2e-upgrade");
let kubectl: Kubectl;
let client: LoadClient;
/** A machine on the cluster's network outside the stack, on which the load client runs. */
let outside: OwnMachine;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", `kubernetes.version=${PREVIOUS}`, "--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  outside = await OwnMachine.start({
    hostname: "client",
    network: networkName(String((await stack.outputs()).stackId)),
    hostNumber: 5,
  });
  const url = `http://${await internalAddress(kubectl, "control-plane-1")}:30080/hostname`;
  await waitForAnswers(loadOf(url, 20));
  client = new LoadClient(loadOf(url, MOST_REQUESTS));
});

afterAll(async () => {
  await outside?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

describe(`from ${PREVIOUS} to ${NEWEST}`, () => {
  test("the plan names the versions and the nodes in order, and changes nothing", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--plan");
    expect(code, text).toBe(0);
    expect(text).toContain(`Upgrade: ${PREVIOUS} -> ${NEWEST}`);
    expect(text).toContain(`worker-1 (${PREVIOUS}), worker-2 (${PREVIOUS}), drained, then the kubelet`);
    expect(await kubeletVersions(kubectl)).toEqual([PREVIOUS, PREVIOUS, PREVIOUS]);
  });

  test("a kubelet that does not start is put back, and the nodes after it keep their version", async () => {
    const setting =
      "apiVersion: kubelet.config.k8s.io/v1beta1\\nkind: KubeletConfiguration\\nfeatureGates: {MemoryManager: true}";
    await stack.on("worker-1", `printf '${setting}\\n' > ${BAD_SETTING}`);
    const { code, text } = await stack.npmRun("upgrade", "--to", NEWEST, "--yes");
    expect(code, text).not.toBe(0);
    expect(text).toMatch(/unrecognized feature gate: MemoryManager/);
    expect(text).toContain("kubelet.service is healthy again");
    expect(await kubeletVersions(kubectl)).toEqual([NEWEST, PREVIOUS, PREVIOUS]);
    expect(await kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}")).toBe("");
    await stack.check();
    report("a failed upgrade of worker-1");
  });

  test("the next run goes on with that node, and ends with the add-ons", async () => {
    await stack.on("worker-1", `rm ${BAD_SETTING}`);
    const { code, text } = await stack.npmRun("upgrade", "--to", NEWEST, "--yes");
    expect(code, text).toBe(0);
    expect(await kubeletVersions(kubectl)).toEqual([NEWEST, NEWEST, NEWEST]);
    const image = await kubectl("-n", "kube-system", "get", "ds/kube-proxy", "-o", "jsonpath={..image}");
    expect(image).toMatch(new RegExp(`:v${NEWEST}$`));
    await stack.check();
    report("the upgrade");
  });

  test("then there is nothing to change, and nothing to upgrade", async () => {
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(/Nothing to change/);
    expect((await stack.npmRun("upgrade", "--plan")).text).toContain(
      `Nothing to upgrade: every control plane runs ${NEWEST}`,
    );
  });

  test("no request was lost", async () => {
    await until(async () => (client.load.total >= LEAST_REQUESTS ? true : undefined), {
      signal: AbortSignal.timeout(300_000),
      timeout: 300,
      onTimeout: () => new Error("the client sent too few requests"),
    });
    const { total, failed, failures } = await client.stop();
    process.stdout.write(`    e2e-upgrade │ ${total} requests, ${failed} failed\n`);
    expect(failures).toEqual([]);
  });
});

test("a version before is refused at preview", async () => {
  const { code, text } = await stack.npmRun("preview", "--config", `kubernetes.version=${PREVIOUS}`);
  expect(code, text).toBe(1);
  expect(text).toContain(`Kubernetes cannot be downgraded from ${NEWEST} to ${PREVIOUS}`);
});

function loadOf(url: string, most: number): LoadSpec {
  return { container: outside.container, url, perSecond: PER_SECOND, most, seconds: LONGEST_SECONDS };
}

function report(what: string): void {
  const { total, failed, failures } = client.load;
  process.stdout.write(`    e2e-upgrade │ ${what}: ${total} requests, ${failed} failed ${failures.join("; ")}\n`);
}
