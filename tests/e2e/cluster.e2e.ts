import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../artifacts/index";
import { until } from "../../common/wait";
import { inventory, type Inventory } from "../support/docker-inventory";
import { linePattern } from "../support/line-pattern";
import { manifest } from "../support/manifests";
import { ProcessWatch } from "../support/process-watch";
import { applyManifest, kubectlOf, waitForPods, type Kubectl } from "../support/cluster-client";
import { changedResources } from "../support/preview-steps";
import { loadTestImages } from "../support/test-images";
import { TestStack, type Finished } from "../support/test-stack";
import { newestVersion } from "../support/versions";
import { expectNoSecrets, withoutOutputsOfKey } from "../support/secret-search";
import { filesBelow, readTemporaryFiles } from "../support/written-files";

const VERSION = newestVersion(loadVersions());
const WORKERS = ["worker-1", "worker-2"];
const stack = new TestStack("e2e-cluster");
/** In CI nothing else runs on the machine. Elsewhere, other containers come and go during the test. */
const isOurs = (name: string) => process.env.CI === "true" || name.includes("e2e-cluster");
const outputs: string[] = [];
const record = (finished: Finished) => {
  outputs.push(finished.text);
  return finished;
};

const startTime = Date.now();
let commandLines: string[] = [];
let before: Inventory;
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down(); // left by a killed test run
  before = await inventory(isOurs);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe("npm start", () => {
  test("creates three Ready nodes and prints the kubeconfig", async () => {
    const watch = new ProcessWatch();
    const { code, text } = record(await stack.up());
    commandLines = watch.stop();
    expect(code, text).toBe(0);
    for (const node of ["control-plane-1", ...WORKERS])
      expect(text).toMatch(new RegExp(`${node} +Ready .*v${VERSION}`));
    expect(text).toContain(await stack.kubeconfig());
    kubectl = await kubectlOf(stack);
  });

  test("ends with CoreDNS Available and every pod running and ready", async () => {
    await kubectl("-n", "kube-system", "wait", "deploy/coredns", "--for=condition=Available", "--timeout=10s");
    await waitForPods(kubectl);
  });

  test("changes nothing on the second run", async () => {
    const { code, text } = record(await stack.up());
    expect(code, text).toBe(0);
    expect(text).toMatch(/Nothing to change: all \d+ resources match the configuration/);
  });
});

test("pods reach each other across nodes by Service and DNS", async () => {
  await loadTestImages(stack, WORKERS);
  await applyManifest(stack, manifest("echo.yaml"));
  await kubectl("wait", "pod/server", "pod/client", "--for=condition=Ready", "--timeout=120s");
  const connect = (name: string) =>
    kubectl("exec", "client", "--", "/agnhost", "connect", "--timeout=5s", `${name}:80`);
  // kube-proxy on the other node learns the endpoint shortly after the pod is Ready.
  await until(
    async () =>
      await connect("server").then(
        () => true,
        () => undefined,
      ),
    {
      signal: AbortSignal.timeout(60_000),
      timeout: 30,
      onTimeout: () => new Error("worker-2 does not reach the server on worker-1"),
    },
  );
  await connect("server.default.svc.cluster.local");
  await expect(
    kubectl("exec", "client", "--", "/agnhost", "connect", "--timeout=2s", "unknown.default.svc.cluster.local:80"),
  ).rejects.toThrow(/DNS/);
  await kubectl("delete", "pod/server", "pod/client", "service/server", "--wait");
});

test("npm run preview lists disruptions and changes, and keeps no configuration", async () => {
  const changes = ["workers.kubelet.maxPods=99", "workers.count=1", "controlPlane.extraArgs.apiServer.v=3"];
  const { code, text } = record(await stack.npmRun("preview", ...changes.flatMap((change) => ["--config", change])));
  expect(code, text).toBe(2);
  expect(text).toMatch(
    linePattern(
      /DISRUPTIONS:/,
      / {2}the API server of control-plane-1 restarts .*ClusterConfiguration.apiServer.extraArgs\[\d+\] changes/,
      / {2}worker-2 is drained, and its machine is deleted/,
    ),
  );
  expect(text).toMatch(
    linePattern(
      /\n {2}\/etc\/kubernetes\/kubelet.conf.d\/10-kubewright.conf changes:/,
      / {4}line \d+:/,
      / {4}\+ maxPods: 99/,
      / {2}kubelet.service restarts/,
    ),
  );
  const unchanged = record(await stack.npmRun("preview"));
  expect(unchanged.code, unchanged.text).toBe(0);
});

test("a refused configuration is not kept", async () => {
  const before = readFileSync(stack.configFile, "utf8");
  const { code, text } = record(await stack.up("--config", "workrs.count=3", "--config", "workers.count=1"));
  expect(code, text).toBe(1);
  expect(text).toContain("workrs: is not a known property; did you mean workers?");
  expect(readFileSync(stack.configFile, "utf8")).toBe(before);
});

describe("drift", () => {
  const FILE = "/etc/containerd/config.toml";

  test("finds a changed file, a stopped unit and a masked unit only", async () => {
    await stack.on("worker-1", `printf '\\n# changed manually\\n' >> ${FILE}; systemctl stop kubelet`);
    // `systemctl mask` creates this link for a unit outside /etc.
    await stack.on(
      "worker-2",
      "ln -sfn /dev/null /etc/systemd/system/kubelet.service && systemctl daemon-reload && systemctl stop kubelet",
    );
    const { text } = record(await stack.pulumi("preview", "--refresh", "--json"));
    expect(changedResources(text)).toEqual(["worker-1-containerd", "worker-1-kubelet", "worker-2-kubelet"]);
    expect(record(await stack.npmRun("drift")).text).toContain("kubelet.service is masked");
  });

  test("repairs all of it", async () => {
    const { code, text } = record(await stack.up("--refresh"));
    expect(code, text).toBe(0);
    expect(await stack.on("worker-1", `cat ${FILE}`)).not.toContain("changed manually");
    for (const worker of WORKERS)
      expect(await stack.on(worker, "systemctl is-enabled kubelet && systemctl is-active kubelet")).toBe(
        "enabled\nactive",
      );
    await kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s");
    const again = record(await stack.pulumi("preview", "--refresh", "--expect-no-changes"));
    expect(again.code, again.text).toBe(0);
  });
});

describe("failures", () => {
  const FOLDER = "/etc/kubernetes/kubelet.conf.d";

  test("a failed machine does not stop the others, and the summary shows the state of each", async () => {
    await stack.on("worker-1", `mv ${FOLDER} ${FOLDER}.aside && touch ${FOLDER}`);
    const { code, text } = record(
      await stack.up(
        "--config",
        "workers.kubelet.maxPods=99",
        "--config",
        "controlPlane.kubelet.maxPods=120",
        "--config",
        "controlPlane.labels.zone=a",
      ),
    );
    await stack.on("worker-1", `rm ${FOLDER} && mv ${FOLDER}.aside ${FOLDER}`);
    expect(code, text).toBe(1);
    expect(text).toMatch(
      linePattern(
        /\ncontrol-plane-1 +done/,
        /worker-1 +FAILED/,
        / {2}✗ Unit worker-1-kubelet: writing kubelet.service failed on worker-1 .*File exists.*/,
        /worker-2 +not started +waits for worker-1/,
        /\n`npm start .*` continues from here/,
      ),
    );
    expect(text).not.toContain("failed to register");
    expect(await kubectl("get", "node", "control-plane-1", "-o", "jsonpath={.metadata.labels.zone}")).toBe("a");
  });

  test("pulumi preview explains the remaining changes", async () => {
    const { text } = record(await stack.pulumi("preview"));
    expect(text).toMatch(
      linePattern(
        /worker-1-kubelet\):/,
        / +\/etc\/kubernetes\/kubelet.conf.d\/10-kubewright.conf changes:/,
        / +line \d+:/,
        / +\+ maxPods: 99/,
        / +kubelet.service restarts, because its files change/,
      ),
    );
    expect(text).not.toContain("control-plane-1-kubelet");
  });

  test("the next run changes only what remains", async () => {
    const { code, text } = record(await stack.up());
    expect(code, text).toBe(0);
    expect(text).not.toContain("control-plane-1-kubelet: updat");
  });

  test("the next run completes a killed run", async () => {
    let output = "";
    const { child } = await stack.startUp(
      (text) => {
        output += text;
        if (/worker-3-(binaries|images|join).*: creating/.test(text)) process.kill(-(child.pid ?? 0), "SIGKILL");
      },
      "--config",
      "workers.count=3",
    );
    expect((await child).signal, output).toBe("SIGKILL");
    const { code, text } = record(await stack.up());
    expect(code, text).toBe(0);
    expect(text).toMatch(new RegExp(`worker-3 +Ready .*v${VERSION}`));
    const again = record(await stack.up());
    expect(again.text).toContain("Nothing to change");
  });
});

test("no secret is in output, plain state, command lines, temporary files or the engine's debug log", async () => {
  const key = readFileSync(join(stack.stackFolder, "id_ed25519"), "utf8").split("\n")[1] ?? "";
  const kubeconfig = readFileSync(await stack.kubeconfig(), "utf8");
  const secrets = [
    key,
    ...[...kubeconfig.matchAll(/client-(?:key|certificate)-data: (\S+)/g)].map((match) => match[1] ?? ""),
  ];
  expect(secrets.filter((secret) => secret.length > 40)).toHaveLength(3);
  expect(commandLines.some((line) => line.includes("kubeadm join"))).toBe(true); // the watch works
  const debugLog = await replaceWithDebugLog("worker-3");
  const places = {
    output: outputs,
    state: filesBelow(stack.stateFolder).map((file) => readFileSync(file, "utf8")),
    "command lines": commandLines,
    "temporary files": readTemporaryFiles(startTime),
    "the debug log": debugLog.map(withoutOutputsOfKey),
  };
  for (const [place, texts] of Object.entries(places)) expectNoSecrets(place, texts, secrets);
  for (const machine of ["control-plane-1", ...WORKERS]) {
    const listing = "ls /tmp /var/tmp /etc/kubernetes | grep -E 'kubewright-kubeadm|\\.kubewright-new' || true";
    expect(await stack.on(machine, listing)).toBe("");
  }
});

test("npm run down leaves nothing behind, and succeeds a second time", async () => {
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(await inventory(isOurs)).toEqual(before);
  expect(existsSync(stack.stackFolder)).toBe(false);
  expect(readFileSync(stack.configFile, "utf8")).toContain("workers"); // the user's configuration stays
  expect((await stack.down()).code).toBe(0);
});

/** Replaces a machine and returns the output of `pulumi up -v=9`. */
async function replaceWithDebugLog(machine: string): Promise<string[]> {
  const watch = new ProcessWatch();
  const { text: state } = await stack.pulumiQuietly("stack", "export");
  const [urn = ""] = new RegExp(`urn:[^"]*docker:Machine::${machine}(?=")`).exec(state) ?? [];
  const taint = await stack.pulumiQuietly("state", "taint", urn, "--yes");
  expect(taint.code, taint.text).toBe(0);
  const logging = ["--logtostderr", "--logflow", "-v=9"];
  const { code, text } = await stack.pulumiQuietly("up", "--yes", "--skip-preview", "--refresh", ...logging);
  commandLines.push(...watch.stop());
  expect(code).toBe(0);
  expect(text).toMatch(new RegExp(`Machine ${machine} created replacement`));
  expect(text).toContain("creating a join token");
  return [text];
}
