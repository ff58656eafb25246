// cspell:words pkeyopt paramgen keyout addext
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { messageOf } from "../../../common/errors";
import { until } from "../../../common/wait";
import { APPROVER_SCRIPT, KUBELET_CA_FILE } from "../../../render/kubelet-serving";
import { internalAddress, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { readStatus } from "../../support/cluster-status";
import type { LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";
import { deployWorkload, startLoad } from "../../support/workload";

const CONTROL_PLANE = "control-plane-1";
const WORKER = "worker-1";
const NODES = [CONTROL_PLANE, WORKER];
const SETTING = "security.kubeletServingCertificates";
const FLAG = `--kubelet-certificate-authority=${KUBELET_CA_FILE}`;
/** The timer runs once a minute. */
const TIMER_SECONDS = 100;

const print = (text: string) => process.stdout.write(`    e2e-serving │ ${text}\n`);

async function upOf(stack: TestStack, ...args: string[]): Promise<string> {
  const { code, text } = await stack.up(...args);
  expect(code, text).toBe(0);
  return text;
}

/** Waits until a condition holds. @returns the seconds that it took */
async function waitFor(what: string, isDone: () => Promise<boolean>, timeout = TIMER_SECONDS): Promise<number> {
  const began = Date.now();
  await until(async () => ((await isDone()) ? true : undefined), {
    signal: AbortSignal.timeout((timeout + 30) * 1_000),
    timeout,
    every: 500,
    onTimeout: (seconds) => new Error(`${what}: not after ${seconds} s`),
  });
  return (Date.now() - began) / 1_000;
}

/** Reads a log line of kube-proxy on a node, through its kubelet. @returns the error, or nothing */
async function logsOf(kubectl: Kubectl, node: string): Promise<string> {
  const selector = ["-n", "kube-system", "-l", "k8s-app=kube-proxy", `--field-selector=spec.nodeName=${node}`];
  const pod = await kubectl("get", "pods", ...selector, "-o", "jsonpath={.items[0].metadata.name}");
  return await kubectl("logs", "-n", "kube-system", pod, "--tail=1").then(() => "", messageOf);
}

/** What a machine says about the certificate that a kubelet serves. */
async function verification(stack: TestStack, kubectl: Kubectl, node: string): Promise<string> {
  const address = await internalAddress(kubectl, node);
  const verify = `-CAfile ${KUBELET_CA_FILE} -verify_ip ${address}`;
  return await stack.on(
    node,
    `echo | openssl s_client -connect ${address}:10250 ${verify} 2>&1 | grep 'Verify return'`,
  );
}

const apiServerManifest = (stack: TestStack) =>
  stack.on(CONTROL_PLANE, "cat /etc/kubernetes/manifests/kube-apiserver.yaml");

describe("a new cluster", () => {
  const stack = new TestStack("e2e-serving");
  let kubectl: Kubectl;
  beforeAll(async () => {
    await stack.down("--force"); // left by a killed test run
    await upOf(stack, "--config", "workers.count=1");
    kubectl = await kubectlOf(stack);
  });
  afterAll(async () => {
    await stack.down("--force");
    stack.removeFiles();
  });

  test("has kubelets that the API server verifies", async () => {
    expect(readFileSync(stack.configFile, "utf8")).toContain("kubeletServingCertificates: cluster");
    expect(await apiServerManifest(stack)).toContain(FLAG);
    for (const node of NODES) {
      expect(await verification(stack, kubectl, node), node).toContain("Verify return code: 0 (ok)");
      expect(await logsOf(kubectl, node), node).toBe("");
    }
  });

  test("shows the certificates as ones that the kubelets rotate, and no self-signed ones", async () => {
    const { certificates } = await readStatus(stack);
    const serving = certificates.filter(({ name }) => name === "kubelet serving");
    expect(serving.map(({ node, kind }) => [node, kind]).sort()).toEqual(NODES.map((node) => [node, "rotated"]));
  });

  test("has nothing to change at the next run, and no drift", async () => {
    expect(await upOf(stack, "--refresh")).toContain("Nothing to change");
  });

  test("passes the items of the CIS Benchmark", async () => {
    const { text } = await stack.npmRun("check", "--cis");
    for (const item of ["--kubelet-certificate-authority", "serverTLSBootstrap"])
      expect(text).toMatch(new RegExp(`^passed .*${item}`, "m"));
  });

  test("does not approve a request with a stranger's address, which the node's own kubelet key has sent", async () => {
    const name = "stranger";
    const script = `set -e
cd /tmp
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout stranger.key -out stranger.csr \\
  -subj /O=system:nodes/CN=system:node:${WORKER} -addext subjectAltName=DNS:${WORKER},IP:192.0.2.66 2>/dev/null
server=$(sed -n 's/^ *server: //p' /etc/kubernetes/kubelet.conf)
pem=/var/lib/kubelet/pki/kubelet-client-current.pem
curl -sf --cacert ${KUBELET_CA_FILE} --cert $pem --key $pem -H 'content-type: application/json' \\
  "$server/apis/certificates.k8s.io/v1/certificatesigningrequests" -d '{
  "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "${name}"},
  "spec": {"request": "'"$(base64 -w0 stranger.csr)"'", "signerName": "kubernetes.io/kubelet-serving",
    "usages": ["digital signature", "server auth"]}}' >/dev/null`;
    await stack.on(WORKER, script);
    await stack.on(CONTROL_PLANE, `sh ${APPROVER_SCRIPT}`);
    const journal = () => stack.on(CONTROL_PLANE, "journalctl -u kubewright-kubelet-serving.service --no-pager");
    await stack.on(CONTROL_PLANE, "rm -f /run/kubewright-kubelet-serving.reported");
    await waitFor("the timer's report", async () => (await journal()).includes(`${name} is not approved`));
    expect(await kubectl("get", "csr", name, "-o", "jsonpath={.status}")).toBe("{}");
    await kubectl("delete", "csr", name);
  });

  test("gives a worker a new certificate by the timer, without a run", async () => {
    await stack.on(WORKER, "rm -f /var/lib/kubelet/pki/kubelet-server-* && systemctl restart kubelet");
    await waitFor("the loss of the certificate", async () => (await logsOf(kubectl, WORKER)) !== "");
    const seconds = await waitFor("logs of the worker", async () => (await logsOf(kubectl, WORKER)) === "");
    print(`certificate of ${WORKER} again after ${seconds.toFixed(1)} s`);
    expect(await verification(stack, kubectl, WORKER)).toContain("Verify return code: 0 (ok)");
  });

  test("gives a node that joins later its certificate", async () => {
    await upOf(stack, "--config", "workers.count=2");
    expect(await logsOf(kubectl, "worker-2")).toBe("");
  });
});

describe("a cluster with self-signed certificates", () => {
  const stack = new TestStack("e2e-serving-old");
  let kubectl: Kubectl;
  let client: LoadClient;
  beforeAll(async () => {
    await stack.down("--force"); // left by a killed test run
    const settings = ["extras=true", "workers.count=1", `${SETTING}=self-signed`];
    await upOf(stack, ...settings.flatMap((setting) => ["--config", setting]));
    kubectl = await kubectlOf(stack);
    await deployWorkload(stack, kubectl);
    const [container = ""] = await stack.containers(CONTROL_PLANE);
    client = await startLoad(kubectl, { container });
  });
  afterAll(async () => {
    await client?.stop();
    await stack.down("--force");
    stack.removeFiles();
  });

  test("does not change by itself", async () => {
    expect(await upOf(stack)).toContain("Nothing to change");
    expect(await apiServerManifest(stack)).not.toContain(FLAG);
  });

  test("is converted, and kubectl logs never fails because of a certificate", async () => {
    const failures: { at: number; node: string; error: string }[] = [];
    const ended = new AbortController();
    const watch = NODES.map(async (node) => {
      while (!ended.signal.aborted) {
        const error = await logsOf(kubectl, node).catch(messageOf);
        if (error !== "") failures.push({ at: Date.now(), node, error });
      }
    });
    await upOf(stack, "--config", `${SETTING}=cluster`);
    ended.abort();
    await Promise.all(watch);
    for (const node of NODES) {
      const times = failures.filter((one) => one.node === node).map(({ at }) => at);
      const seconds = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1_000;
      print(`${node}: ${times.length} failed logs, within ${seconds} s`);
      expect(await logsOf(kubectl, node), node).toBe("");
    }
    // A certificate that the API server does not accept would fail for ever; a restart of a kubelet fails for a moment.
    expect(failures.filter(({ error }) => error.includes("x509:"))).toEqual([]);
    expect(await apiServerManifest(stack)).toContain(FLAG);
  });

  test("has nothing to change after that, and no drift", async () => {
    expect(await upOf(stack, "--refresh")).toContain("Nothing to change");
  });

  test("refuses self-signed certificates while the API server verifies kubelets", async () => {
    const { code, text } = await stack.up("--config", `${SETTING}=self-signed`);
    expect(code).not.toBe(0);
    expect(text).toContain("apply unverified first");
  });

  test("returns to self-signed certificates over unverified ones", async () => {
    await upOf(stack, "--config", `${SETTING}=unverified`);
    expect(await apiServerManifest(stack)).not.toContain(FLAG);
    await upOf(stack, "--config", `${SETTING}=self-signed`);
    for (const node of NODES) expect(await logsOf(kubectl, node), node).toBe("");
    await expect(stack.on(CONTROL_PLANE, `cat ${APPROVER_SCRIPT}`)).rejects.toThrow();
  });

  test("has lost no request to its workload", async () => {
    const { total, failed, failures } = await client.stop();
    print(`${total} requests, ${failed} failed`);
    expect(failures).toEqual([]);
  });
});
