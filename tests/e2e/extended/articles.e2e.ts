import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions, obtainArtifacts } from "../../../artifacts/index";
import { silent } from "../../../common/progress";
import { quote } from "../../../common/quote";
import { until } from "../../../common/wait";
import { controllerArch } from "../../../components/machines/machine";
import { output } from "../../../common/process";
import { busybox } from "../../support/test-images";
import { kubectlOf } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion } from "../../support/versions";

/**
 * The steps of docs/ladder-articles.md that ladder.e2e.ts does not cover, on one machine with the articles' pod
 * range.
 */
const NODE = "control-plane-1";
const TOKEN = "articles-C-0123456789abcdef";
const stack = new TestStack("e2e-articles");
let kubectl: (...args: string[]) => Promise<string>;

const settings = [
  "bootstrap=components",
  "rung=apiserver",
  "workers.count=0",
  "extras=true",
  "network.plugin=bridge",
  "network.podCidr=10.1.0.0/16",
  `auth.staticTokens[0].token=${TOKEN}`,
  "auth.staticTokens[0].user=kubelet-fan",
  "auth.staticTokens[0].uid=1000",
  "auth.staticTokens[0].groups[0]=system:masters",
  // By default a node reports pressure for five minutes after its end.
  "controlPlane.kubelet.evictionPressureTransitionPeriod=1s",
];

beforeAll(async () => {
  await stack.down(); // left by a killed test run
  const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

/** Sends an HTTP request with curl, as the articles do, and returns the status and the body. */
async function http(
  path: string,
  { token = TOKEN, body, type = "application/json" }: { token?: string; body?: string; type?: string } = {},
): Promise<{ code: number; text: string }> {
  const post = body === undefined ? "" : `-H 'Content-Type: ${type}' --data-binary ${quote(body)}`;
  const tls = "--cacert /etc/kubernetes/pki/ca.crt";
  const options = `-s -w '\\n%{http_code}' ${tls} -H 'Authorization: Bearer ${token}' ${post}`;
  const output = await stack.on(NODE, `curl ${options} https://127.0.0.1:6443${path}`);
  const end = output.lastIndexOf("\n");
  return { code: Number(output.slice(end + 1)), text: output.slice(0, end) };
}

const pods = (namespace = "default") => `/api/v1/namespaces/${namespace}/pods`;

function pod(name: string, command: string[]): string {
  const container = { name, image: busybox(), imagePullPolicy: "IfNotPresent", command };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { nodeName: NODE, terminationGracePeriodSeconds: 0, containers: [container] },
  });
}

async function eventually(condition: string, check: () => Promise<boolean>): Promise<void> {
  await until(async () => (await check().catch(() => false)) || undefined, {
    signal: AbortSignal.timeout(240_000),
    timeout: 180,
    onTimeout: () => new Error(`not yet: ${condition}`),
  });
}

describe("A, by component (2018)", () => {
  test("a posted pod with a nodeName runs", async () => {
    expect((await http(pods(), { body: pod("posted", ["sleep", "infinity"]) })).code).toBe(201);
    await kubectl("wait", "pod/posted", "--for=condition=Ready", "--timeout=120s");
  });

  test("a second create answers 409 AlreadyExists", async () => {
    const { code, text } = await http(pods(), { body: pod("posted", ["sleep", "infinity"]) });
    expect([code, JSON.parse(text)]).toEqual([409, expect.objectContaining({ reason: "AlreadyExists" })]);
  });

  test("an update with an old resourceVersion gets 409 Conflict", async () => {
    await kubectl("create", "configmap", "versioned", "--from-literal=key=one");
    const old = await kubectl("get", "configmap", "versioned", "-o", "yaml");
    await kubectl("patch", "configmap", "versioned", "-p", '{"data":{"key":"two"}}');
    await expect(
      kubectl(
        "patch",
        "configmap",
        "versioned",
        "-p",
        JSON.stringify({ metadata: { resourceVersion: /resourceVersion: "(\d+)"/.exec(old)?.[1] } }),
      ),
    ).rejects.toThrow(/Conflict/);
  });
});

describe("C, kubelet, API server and etcd (2022)", () => {
  test("a token of the token file is accepted, a wrong one gets 401", async () => {
    const { code, text } = await http("/api/v1/nodes");
    expect([
      code,
      (JSON.parse(text) as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name),
    ]).toEqual([200, [NODE]]);
    expect((await http("/api/v1/nodes", { token: "wrong" })).code).toBe(401);
  });

  test("a body without a JSON content type gets 415", async () => {
    expect(
      (await http(pods(), { body: pod("untyped", ["true"]), type: "application/x-www-form-urlencoded" })).code,
    ).toBe(415);
  });

  test("the pod has its address from 10.1.0.0/16", async () => {
    expect(await kubectl("get", "pod", "posted", "-o", "jsonpath={.status.podIP}")).toMatch(/^10\.1\.0\.\d+$/);
  });

  test("a pod gets 403 when its namespace has no default ServiceAccount", async () => {
    await kubectl("create", "namespace", "bare");
    const { code, text } = await http(pods("bare"), { body: pod("without-account", ["sleep", "infinity"]) });
    expect([code, (JSON.parse(text) as { message: string }).message]).toEqual([
      403,
      expect.stringContaining("default"),
    ]);
  });

  test("the same pod is accepted without ServiceAccount admission", async () => {
    const { code, text } = await stack.up("--config", "admission.disable[0]=ServiceAccount");
    expect(code, text).toBe(0);
    expect((await http(pods("bare"), { body: pod("without-account", ["sleep", "infinity"]) })).code).toBe(201);
    await kubectl("-n", "bare", "wait", "pod/without-account", "--for=condition=Ready", "--timeout=120s");
  });
});

describe("B, minimal (2020)", () => {
  test("another pod reaches a server by its address", async () => {
    await http(pods(), {
      body: pod("server", [
        "sh",
        "-c",
        "mkdir /www && echo reached > /www/index.html && exec httpd -f -p 8080 -h /www",
      ]),
    });
    await kubectl("wait", "pod/server", "--for=condition=Ready", "--timeout=120s");
    const address = await kubectl("get", "pod", "server", "-o", "jsonpath={.status.podIP}");
    await eventually("the server answers", async () =>
      (await kubectl("exec", "posted", "--", "wget", "-q", "-T", "2", "-O", "-", `http://${address}:8080/`)).includes(
        "reached",
      ),
    );
  });

  test("a static pod restarts its ended container, and is deleted when its manifest is deleted", async () => {
    const manifest = pod("echo", ["echo", "hello"]);
    await stack.on(NODE, `printf %s ${quote(manifest)} > /etc/kubernetes/manifests/echo.yaml`);
    await eventually(
      "echo has restarted",
      async () =>
        Number(
          await kubectl("get", "pod", `echo-${NODE}`, "-o", "jsonpath={.status.containerStatuses[0].restartCount}"),
        ) >= 1,
    );
    await stack.on(NODE, "rm /etc/kubernetes/manifests/echo.yaml");
    await eventually(
      "echo is gone",
      async () => (await kubectl("get", "pods", "-o", "name")).includes("echo") === false,
    );
  });

  test("containers run on when the kubelet stops", async () => {
    await stack.on(NODE, "systemctl stop kubelet");
    expect(
      await stack.on(NODE, "systemctl is-active kubelet || true; curl -s --max-time 5 http://127.0.0.1:8080"),
    ).toMatch(/^inactive\nhello/);
    expect((await http("/readyz")).text).toBe("ok");
    await stack.on(NODE, "systemctl start kubelet");
  });
});

describe("A's full disk", () => {
  test("npm run status reports DiskPressure and the fix; pods are evicted until the disk has room", async () => {
    const full = await stack.up("--config", 'controlPlane.kubelet.evictionHard["nodefs.available"]=99%');
    expect(full.code, full.text).toBe(0);
    await eventually(
      "posted is evicted",
      async () => (await kubectl("get", "pod", "posted", "-o", "jsonpath={.status.reason}")) === "Evicted",
    );
    const { code, text } = await stack.npmRun("status");
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(
        /DiskPressure: .*\d+ pods? w\w+ evicted; free space .* controlPlane\.kubelet\.evictionHard/,
      ),
    ]);
    const room = await stack.up("--config", 'controlPlane.kubelet.evictionHard["nodefs.available"]=1%');
    expect(room.code, room.text).toBe(0);
    await eventually(
      "the pressure is over",
      async () =>
        (await kubectl(
          "get",
          "node",
          NODE,
          "-o",
          "jsonpath={.status.conditions[?(@.type=='DiskPressure')].status}",
        )) === "False",
    );
  });
});

describe("flags", () => {
  const REMOVED: [string, string[]][] = [
    [
      "kubelet",
      [
        "api-servers",
        "require-kubeconfig",
        "container-runtime",
        "network-plugin",
        "cni-conf-dir",
        "cni-bin-dir",
        "pod-infra-container-image",
      ],
    ],
    ["kube-apiserver", ["insecure-port", "insecure-bind-address"]],
  ];
  const SUPPORTED: [string, string[]][] = [
    ["kubelet", ["pod-manifest-path", "kubeconfig", "container-runtime-endpoint"]],
    [
      "kube-apiserver",
      ["token-auth-file", "disable-admission-plugins", "admission-control", "etcd-servers", "service-cluster-ip-range"],
    ],
  ];

  test("the programs have the flags that the page lists as supported, and not the removed ones", async ({ skip }) => {
    const { binaries } = await obtainArtifacts(
      { source: "auto", kubernetes: newestVersion(loadVersions()), arch: controllerArch(), extras: true },
      silent,
      new AbortController().signal,
    );
    skip(binaries["kube-apiserver"] === undefined, "the official source has the API server in an image only");
    const has = async (program: string, flag: string) => {
      const path = program === "kubelet" ? binaries.kubelet.path : String(binaries["kube-apiserver"]?.path);
      return new RegExp(`^ +--${flag}[ =]`, "m").test(await output(path, ["--help"]));
    };
    for (const [program, flags] of REMOVED)
      for (const flag of flags) expect(await has(program, flag), `${program} --${flag}`).toBe(false);
    for (const [program, flags] of SUPPORTED)
      for (const flag of flags) expect(await has(program, flag), `${program} --${flag}`).toBe(true);
  });
});
