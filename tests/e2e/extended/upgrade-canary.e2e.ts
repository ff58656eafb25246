import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { kubeletVersions, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";

const TO = newestVersion(loadVersions());
const FROM = previousVersion(loadVersions());
const MINOR_BEFORE = FROM.split(".").slice(0, 2).join(".");
const API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml";

const stack = new TestStack("e2e-upgrade-canary");
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", `kubernetes.version=${FROM}`);
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe(`an upgrade from ${FROM} to ${TO}, paused after the control planes`, () => {
  test("leaves the workers, while the control planes emulate the version before", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--pause-after", "control-planes", "--emulate");
    expect(code, text).toBe(0);
    expect(await kubeletVersions(kubectl)).toEqual([TO, FROM, FROM]);
    expect(await stack.on("control-plane-1", `cat ${API_SERVER}`)).toContain(`--emulated-version=kube=${MINOR_BEFORE}`);
  });

  test("is in the status, with what is done and what waits", async () => {
    const { code, text } = await stack.npmRun("status");
    expect(code, text).toBe(0);
    expect(text).toMatch(
      new RegExp(`upgrade +${FROM} -> ${TO}: 1 of 3 nodes done; the control planes emulate ${MINOR_BEFORE}`),
    );
    expect(text).toMatch(/waits +worker-2 +\S+ +pool workers stays on/);
  });

  test("can be undone, and the cluster works with the version before", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--undo");
    expect(code, text).toBe(0);
    expect(await kubeletVersions(kubectl)).toEqual([FROM, FROM, FROM]);
    expect(await stack.on("control-plane-1", `cat ${API_SERVER}`)).not.toContain("emulated-version");
    await stack.check();
    expect((await stack.npmRun("status")).text).not.toMatch(/^upgrade/m);
  });
});

describe(`a canary that gets ${TO}`, () => {
  test("is put back where the cluster does not stay healthy, and the others keep their version", async () => {
    let broken: Promise<string> | undefined;
    let seen = "";
    const breakCluster = (text: string) => {
      seen += text;
      if (broken === undefined && /worker-1 soaks: healthy/.test(seen)) broken = startCrashingPod();
    };
    const { child } = await stack.startCommand("upgrade", breakCluster, "--to", TO, ...canary("5m"));
    const { exitCode } = await child;
    await broken;
    expect(exitCode, seen).not.toBe(0);
    expect(seen).toMatch(/container crash of pod kube-system\/crash on worker-2 crashes/);
    expect(seen).toContain("kubelet.service is healthy again");
    expect(await kubeletVersions(kubectl)).toEqual([TO, FROM, FROM]);
    await kubectl("-n", "kube-system", "delete", "pod", "crash", "--now");
  });

  test("is upgraded alone, and checked", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--to", TO, ...canary("15s"));
    expect(code, text).toBe(0);
    expect(text).toContain("worker-1: the cluster stayed healthy for 15 s");
    expect(text).toContain("Paused.");
    expect(await kubeletVersions(kubectl)).toEqual([TO, TO, FROM]);
  });

  test("makes an undo impossible, with the reason", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--undo");
    expect(code, text).not.toBe(0);
    expect(text).toContain(`worker-1 (${TO}): the kubelet of a worker cannot be downgraded`);
    expect(await kubeletVersions(kubectl)).toEqual([TO, TO, FROM]);
  });

  test("is followed by the others", async () => {
    const { code, text } = await stack.npmRun("upgrade", "--resume");
    expect(code, text).toBe(0);
    expect(await kubeletVersions(kubectl)).toEqual([TO, TO, TO]);
    await stack.check();
    expect((await stack.up()).text).toContain("Nothing to change");
  });
});

const canary = (soak: string) => ["--canary", "worker-1", "--soak", soak];

/** Starts a pod of the system that exits. Its image is on every node. */
async function startCrashingPod(): Promise<string> {
  const dns = [
    "-n",
    "kube-system",
    "get",
    "deploy/coredns",
    "-o",
    "jsonpath={.spec.template.spec.containers[0].image}",
  ];
  const spec = { nodeName: "worker-2", containers: [{ name: "crash", image: await kubectl(...dns), args: ["-no"] }] };
  const overrides = JSON.stringify({ spec });
  return await kubectl("-n", "kube-system", "run", "crash", "--image=unused", `--overrides=${overrides}`);
}
