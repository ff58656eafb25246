import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions, obtainArtifacts } from "../../artifacts/index";
import { silent } from "../../common/progress";
import { until } from "../../common/wait";
import { controllerArch } from "../../components/machines/machine";
import { inventory, type Inventory } from "../support/docker-inventory";
import { manifest } from "../support/manifests";
import { ProcessWatch } from "../support/process-watch";
import { TestStack, kubectlOf, type Finished } from "../support/test-stack";
import { newestVersion } from "../support/versions";

const VERSION = newestVersion(loadVersions());
const WORKERS = ["worker-1", "worker-2"];
const stack = new TestStack("e2e-cluster");
/** CI's machine is ours alone; on a person's, other things come and go meanwhile. */
const ours = (name: string) => process.env.CI === "true" || name.includes("e2e-cluster");
const said: string[] = [];
const keep = (finished: Finished) => {
  said.push(finished.text);
  return finished;
};

const begun = Date.now();
let commands: string[] = [];
let before: Inventory;
let kubectl: (...args: string[]) => Promise<string>;

beforeAll(async () => {
  await stack.down(); // what a killed test run may have left
  before = await inventory(ours);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe("npm start", () => {
  test("makes three Ready nodes and says what to do with them", async () => {
    const watch = new ProcessWatch();
    const { code, text } = keep(await stack.up());
    commands = watch.stop();
    expect(code, text).toBe(0);
    for (const node of ["control-plane-1", ...WORKERS])
      expect(text).toMatch(new RegExp(`${node} +Ready .*v${VERSION}`));
    expect(text).toContain(await stack.kubeconfig());
    kubectl = await kubectlOf(stack);
  });

  test("leaves CoreDNS Available and every pod running and ready", async () => {
    await kubectl("-n", "kube-system", "wait", "deploy/coredns", "--for=condition=Available", "--timeout=10s");
    // Not `kubectl wait pods --all`: that lists once, and waits to its end for a pod that a rollout took away
    // meanwhile.
    let waiting = "";
    await until(async () => (waiting = await podsNotReady()) === "" || undefined, {
      signal: AbortSignal.timeout(150_000),
      timeout: 120,
      onTimeout: () => new Error(`not running and ready: ${waiting}`),
    });
  });

  test("changes nothing the second time, and says so", async () => {
    const { code, text } = keep(await stack.up());
    expect(code, text).toBe(0);
    expect(text).toMatch(/Nothing to change: all \d+ resources match the configuration/);
  });
});

test("a pod is reached across nodes by Service and DNS", async () => {
  await loadTestImages();
  execFileSync(
    String((await stack.outputs()).kubectlPath),
    ["--kubeconfig", await stack.kubeconfig(), "apply", "-f", "-"],
    { input: manifest("echo.yaml") },
  );
  await kubectl("wait", "pod/server", "pod/client", "--for=condition=Ready", "--timeout=120s");
  const ask = (name: string) => kubectl("exec", "client", "--", "/agnhost", "connect", "--timeout=5s", `${name}:80`);
  // The endpoint is known to the other node a moment after the pod is Ready.
  await until(
    async () =>
      await ask("server").then(
        () => true,
        () => undefined,
      ),
    {
      signal: AbortSignal.timeout(60_000),
      timeout: 30,
      onTimeout: () => new Error("worker-2 does not reach the server on worker-1"),
    },
  );
  await ask("server.default.svc.cluster.local");
  await expect(
    kubectl("exec", "client", "--", "/agnhost", "connect", "--timeout=2s", "nobody.default.svc.cluster.local:80"),
  ).rejects.toThrow(/DNS/);
  await kubectl("delete", "pod/server", "pod/client", "service/server", "--wait");
});

test("a configuration is tried without being kept: what it changes is told, and what it disrupts first", async () => {
  const changes = ["workers.kubelet.maxPods=99", "workers.count=1", "controlPlane.extraArgs.apiServer.v=3"];
  const { code, text } = keep(await stack.script("preview", ...changes.flatMap((change) => ["--config", change])));
  expect(code, text).toBe(2);
  expect(text).toMatch(
    /DISRUPTIONS:\n {2}the API server of control-plane-1 restarts .*ClusterConfiguration.apiServer.extraArgs changes\n {2}worker-2 is drained, and its machine is deleted/,
  );
  expect(text).toMatch(
    /\n {2}\/etc\/kubernetes\/kubelet.conf.d\/10-kubewright.conf changes:\n {4}line \d+:\n {4}\+ maxPods: 99\n {2}kubelet.service restarts/,
  );
  const kept = keep(await stack.script("preview"));
  expect(kept.code, kept.text).toBe(0);
});

test("a configuration that is refused is not kept", async () => {
  const before = readFileSync(stack.configFile, "utf8");
  const { code, text } = keep(await stack.up("--config", "workrs.count=3", "--config", "workers.count=1"));
  expect(code, text).toBe(1);
  expect(text).toContain("workrs: is not a known property; did you mean workers?");
  expect(readFileSync(stack.configFile, "utf8")).toBe(before);
});

describe("drift", () => {
  const FILE = "/etc/containerd/config.toml";

  test("a changed file and units that are stopped or masked are found, and nothing else", async () => {
    await stack.on("worker-1", `printf '\\n# by hand\\n' >> ${FILE}; systemctl stop kubelet`);
    // Of a unit below /etc this is what `systemctl mask` would make.
    await stack.on(
      "worker-2",
      "ln -sfn /dev/null /etc/systemd/system/kubelet.service && systemctl daemon-reload && systemctl stop kubelet",
    );
    const { text } = keep(await stack.pulumi("preview", "--refresh", "--json"));
    expect(changedBy(text)).toEqual(["worker-1-containerd", "worker-1-kubelet", "worker-2-kubelet"]);
    expect(keep(await stack.script("drift")).text).toContain("kubelet.service is masked");
  });

  test("and mended", async () => {
    const { code, text } = keep(await stack.up("--refresh"));
    expect(code, text).toBe(0);
    expect(await stack.on("worker-1", `cat ${FILE}`)).not.toContain("by hand");
    for (const worker of WORKERS)
      expect(await stack.on(worker, "systemctl is-enabled kubelet && systemctl is-active kubelet")).toBe(
        "enabled\nactive",
      );
    await kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s");
    const again = keep(await stack.pulumi("preview", "--refresh", "--expect-no-changes"));
    expect(again.code, again.text).toBe(0);
  });
});

describe("bad luck", () => {
  const FOLDER = "/etc/kubernetes/kubelet.conf.d";

  test("a machine that fails does not stop another, and the summary says how far each came", async () => {
    await stack.on("worker-1", `mv ${FOLDER} ${FOLDER}.aside && touch ${FOLDER}`);
    const { code, text } = keep(
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
      /\ncontrol-plane-1 +done\nworker-1 +FAILED\n {2}✗ Unit worker-1-kubelet: writing kubelet.service failed on worker-1 .*File exists.*\nworker-2 +not started +waits for worker-1\n\n`npm start .*` continues from here/,
    );
    expect(text).not.toContain("failed to register");
    expect(await kubectl("get", "node", "control-plane-1", "-o", "jsonpath={.metadata.labels.zone}")).toBe("a");
  });

  test("what is left to do is said in words, also by Pulumi alone", async () => {
    const { text } = keep(await stack.pulumi("preview"));
    expect(text).toMatch(
      /worker-1-kubelet\):\n +\/etc\/kubernetes\/kubelet.conf.d\/10-kubewright.conf changes:\n +line \d+:\n +\+ maxPods: 99\n +kubelet.service restarts, because its files change/,
    );
    expect(text).not.toContain("control-plane-1-kubelet");
  });

  test("and the next run goes on there", async () => {
    const { code, text } = keep(await stack.up());
    expect(code, text).toBe(0);
    expect(text).not.toContain("control-plane-1-kubelet: updat");
  });

  test("a run that is killed in the middle is completed by the next one", async () => {
    let seen = "";
    const { child } = await stack.running(
      (text) => {
        seen += text;
        if (/worker-3-(binaries|images|join).*: creating/.test(text)) process.kill(-(child.pid ?? 0), "SIGKILL");
      },
      "--config",
      "workers.count=3",
    );
    expect((await child).signal, seen).toBe("SIGKILL");
    const { code, text } = keep(await stack.up());
    expect(code, text).toBe(0);
    expect(text).toMatch(new RegExp(`worker-3 +Ready .*v${VERSION}`));
    const again = keep(await stack.up());
    expect(again.text).toContain("Nothing to change");
  });
});

test("no key, token or kubeconfig is in output, plain state, a command line, a temporary file or the engine's detailed log", async () => {
  const key = readFileSync(join(stack.stackFolder, "id_ed25519"), "utf8").split("\n")[1] ?? "";
  const kubeconfig = readFileSync(await stack.kubeconfig(), "utf8");
  const secrets = [
    key,
    ...[...kubeconfig.matchAll(/client-(?:key|certificate)-data: (\S+)/g)].map((found) => found[1] ?? ""),
  ];
  expect(secrets.filter((secret) => secret.length > 40)).toHaveLength(3);
  expect(commands.filter((command) => command.includes("kubeadm join"))).not.toHaveLength(0); // the watch has seen what it is for
  const detailed = await replacedInDetail("worker-3");
  const places = {
    output: said,
    state: filesBelow(stack.stateFolder).map((file) => readFileSync(file, "utf8")),
    "command lines": commands,
    "temporary files": temporaryFiles(),
    "the detailed log": detailed,
  };
  for (const [place, texts] of Object.entries(places)) {
    for (const secret of secrets)
      expect(texts.filter((text) => text.includes(secret)).length, `secrets in ${place}`).toBe(0);
    expect(
      texts.flatMap((text) => text.match(/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g) ?? []).length,
      `bootstrap tokens in ${place}`,
    ).toBe(0);
    expect(texts.filter((text) => /BEGIN [A-Z ]*PRIVATE KEY/.test(text)).length, `private keys in ${place}`).toBe(0);
  }
  for (const machine of ["control-plane-1", ...WORKERS]) {
    expect(
      await stack.on(
        machine,
        "ls /tmp /var/tmp /etc/kubernetes | grep -E 'kubewright-kubeadm|\\.kubewright-new' || true",
      ),
    ).toBe("");
  }
});

test("npm run down leaves nothing behind, also the second time", async () => {
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(await inventory(ours)).toEqual(before);
  expect(existsSync(stack.stackFolder)).toBe(false);
  expect(readFileSync(stack.configFile, "utf8")).toContain("workers"); // what a person has configured is theirs
  expect((await stack.down()).code).toBe(0);
});

/** What Pulumi says, and notes for its own developers, while it looks at everything and makes a machine anew. */
async function replacedInDetail(machine: string): Promise<string[]> {
  const watch = new ProcessWatch();
  const { text: state } = await stack.quietly("stack", "export");
  const [urn = ""] = new RegExp(`urn:[^"]*docker:Machine::${machine}(?=")`).exec(state) ?? [];
  const taint = await stack.quietly("state", "taint", urn, "--yes");
  expect(taint.code, taint.text).toBe(0);
  const { code, text } = await stack.quietly(
    "up",
    "--yes",
    "--skip-preview",
    "--refresh",
    "--logtostderr",
    "--logflow",
    "-v=9",
  );
  commands.push(...watch.stop());
  expect(code).toBe(0);
  expect(text).toMatch(new RegExp(`Machine ${machine} created replacement`));
  expect(text).toContain("creating a join token");
  return [text];
}

/** Names of the resources that a preview wants to change. */
function changedBy(preview: string): string[] {
  const { steps } = JSON.parse(preview.slice(preview.indexOf("{"))) as { steps: { op: string; urn: string }[] };
  return steps
    .filter((step) => step.op !== "same" && step.op !== "refresh")
    .map((step) => step.urn.split("::").at(-1) ?? "")
    .sort();
}

/** Pods that are not running and ready, as a person would list them; those that are on their way out too. */
async function podsNotReady(): Promise<string> {
  const line =
    "{.metadata.namespace}/{.metadata.name} {.status.phase} {.status.conditions[?(@.type=='Ready')].status} {.metadata.deletionTimestamp}";
  const pods = await kubectl("get", "pods", "-A", "-o", `jsonpath={range .items[*]}${line}{"\\n"}{end}`);
  return pods
    .split("\n")
    .filter((pod) => pod.trim() !== "" && !pod.trimEnd().endsWith("Running True"))
    .join("; ");
}

/** Where nodes cannot pull, the test server's image goes into them as ours do: from an archive. */
async function loadTestImages(): Promise<void> {
  const { images } = await obtainArtifacts(
    { source: "auto", kubernetes: VERSION, arch: controllerArch(), extras: true },
    silent,
    new AbortController().signal,
  );
  if (images.kind !== "archives" || !images.extras) return;
  const archive = readFileSync(images.extras.path);
  for (const worker of WORKERS) {
    const [container = ""] = await stack.containers(worker);
    execFileSync("docker", ["exec", "-i", container, "ctr", "-n", "k8s.io", "images", "import", "--local", "-"], {
      input: archive,
    });
  }
}

/** What was written while this suite ran, and is small enough to hold a secret only. */
function temporaryFiles(): string[] {
  const young = (file: string) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found !== undefined && found.mtimeMs > begun && found.size < 1 << 20;
  };
  const ours = readdirSync(tmpdir(), { withFileTypes: true }).filter(
    (item) => /kubewright|pulumi|automation/i.test(item.name) && !/-(sshd|emulator)-/.test(item.name),
  );
  const files = ours.flatMap((item) =>
    item.isDirectory() ? filesBelow(join(tmpdir(), item.name)) : item.isFile() ? [join(tmpdir(), item.name)] : [],
  );
  return files.filter(young).map((file) => readFileSync(file, "utf8"));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name));
}
