import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { measureSince } from "../../support/api-prober";
import { internalAddress, kubectlOf } from "../../support/cluster-client";
import { LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const KIND = ["--config", "controlPlane.endpoint.kind=vip"];
const ADDRESS = "controlPlane.endpoint.address";
/** The aim. */
const LONGEST_GAP_MS = 3_000;
const SECONDS = 1_800;
const REFUSE = "INPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset";

const stack = new TestStack("e2e-vip");
let vip: string;
let worker: string;
let probe: LoadClient;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "controlPlane.count=3", "--config", "workers.count=1");
  expect(code, text).toBe(0);
  const kubectl = await kubectlOf(stack);
  worker = await internalAddress(kubectl, "worker-1");
  vip = worker.replace(/\d+$/, "250");
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

test("an address that a machine has is refused, and the API servers serve as before", async () => {
  const { code, text } = await stack.up(...KIND, "--config", `${ADDRESS}=${worker}`);
  expect(code).toBe(1);
  expect(text).toContain(`another machine answers at ${worker}`);
  expect((await stack.npmRun("check")).code).toBe(0);
  expect(await stack.on("control-plane-2", "systemctl list-unit-files kubewright-api-vip.service || true")).toContain(
    "0 unit files",
  );
});

test("an existing cluster gets a virtual address, which the kubeconfig names", async () => {
  const { code, text } = await stack.up(...KIND, "--config", `${ADDRESS}=${vip}`);
  expect(code, text).toBe(0);
  expect(
    await stack.on("control-plane-2", `curl -s --cacert /etc/kubernetes/pki/ca.crt https://${vip}:6443/readyz`),
  ).toBe("ok");
  expect(await (await kubectlOf(stack))("config", "view")).toContain(`https://${vip}:6443`);
  expect(await holders()).toHaveLength(1);
});

test("the next run changes nothing", async () => {
  expect((await stack.up("--refresh")).text).toContain("Nothing to change");
});

test("a control plane that stops loses the address", async () => {
  const [container = ""] = await stack.containers("worker-1");
  const url = `https://${vip}:6443/readyz`;
  probe = new LoadClient({ container, url, perSecond: 10, most: 10 * SECONDS, seconds: SECONDS, more: ["--insecure"] });
  const [holder = ""] = await holders();
  const [stopped = ""] = await stack.containers(holder);
  await expectShortGap(`${holder} stopped`, async () => {
    execFileSync("docker", ["kill", stopped]);
    await untilHolder((name) => name !== holder);
  });
  execFileSync("docker", ["start", stopped]);
  await untilReady(holder);
});

test("a control plane whose API server refuses connections loses the address", async () => {
  const [holder = ""] = await holders();
  await expectShortGap(`API server of ${holder} refuses connections`, async () => {
    await stack.on(holder, `iptables -I ${REFUSE}`);
    await untilHolder((name) => name !== holder);
  });
  await stack.on(holder, `iptables -D ${REFUSE}`);
  await untilReady(holder);
});

test("with another kind of endpoint, nothing has the address", async () => {
  const kind = ["--config", "controlPlane.endpoint.kind=external"];
  const address = await internalAddress(await kubectlOf(stack), "control-plane-1");
  const { code, text } = await stack.up(...kind, "--config", `${ADDRESS}=${address}:6443`);
  expect(code, text).toBe(0);
  expect(await holders()).toEqual([]);
});

/** Measures requests to the virtual address during a failure, and for a while after it moved. */
async function expectShortGap(event: string, work: () => Promise<void>): Promise<void> {
  const before = probe.mark();
  await work();
  await untilServed(before.total + 50);
  const { longestGap, text } = measureSince(before, probe);
  process.stdout.write(`    ${stack.name} │ ${event}: ${text}\n`);
  expect(longestGap, text).toBeLessThan(LONGEST_GAP_MS);
}

async function untilServed(total: number): Promise<void> {
  await until(() => Promise.resolve(probe.load.total >= total || undefined), wait("the probe has ended"));
}

/** Control planes that have the address. One that is stopped has none. */
async function holders(): Promise<string[]> {
  const found = await Promise.all(
    CONTROL_PLANES.map(async (name) => {
      const text = await stack.on(name, `ip -o addr show to ${vip}`).catch(() => "");
      return text.trim() === "" ? [] : [name];
    }),
  );
  return found.flat();
}

async function untilHolder(isExpected: (name: string) => boolean): Promise<void> {
  const check = async () => ((await holders()).some(isExpected) ? true : undefined);
  await until(check, wait("no other control plane has the address"));
}

async function untilReady(name: string): Promise<void> {
  const ready = "curl -sk https://127.0.0.1:6443/readyz || true";
  const check = async () => ((await stack.on(name, ready).catch(() => "")) === "ok" ? true : undefined);
  await until(check, wait(`${name} does not come back`));
}

function wait(problem: string) {
  return { signal: AbortSignal.timeout(300_000), timeout: 300, onTimeout: () => new Error(problem) };
}
