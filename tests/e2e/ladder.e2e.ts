import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import type { Rung } from "../../render/rung";
import { LoadClient } from "../support/load-client";
import { agnhost, pause } from "../support/test-images";
import { applyManifest, internalAddress, kubectlOf, type Kubectl } from "../support/cluster-client";
import { TestStack } from "../support/test-stack";
import { filesBelow } from "../support/written-files";

/** Climbs and descends the ladder on two machines, and uses on each rung what that rung makes possible. */
const stack = new TestStack("e2e-ladder");
const [CONTROL_PLANE, WORKER] = ["control-plane-1", "worker-1"] as const;
const TOKEN = "ladder-test-0123456789abcdef";
const PER_SECOND = 20;
let kubectl: Kubectl;
let address = "";

/** Runs `npm start` for a rung and returns the output. */
async function climb(rung: Rung, ...args: string[]): Promise<string> {
  const { code, text } = await stack.up("--config", `rung=${rung}`, ...args);
  expect(code, text).toBe(0);
  return text;
}

/** Waits until the check returns a truthy value without an error. */
async function eventually(condition: string, check: () => Promise<unknown>): Promise<void> {
  let last: unknown = "";
  const attempt = async () =>
    await check().then(
      (value) => (value ? true : undefined),
      (error: unknown) => void (last = error),
    );
  await until(attempt, {
    signal: AbortSignal.timeout(120_000),
    timeout: 90,
    onTimeout: () => new Error(`not yet: ${condition}: ${String(last)}`),
  });
}

/** Returns the body of an HTTP response. */
async function get(url: string): Promise<string> {
  return await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(async (response) => await response.text());
}

function readManifest(file: string): string {
  const manifest = readFileSync(join(__dirname, "manifests", file), "utf8");
  return manifest.replaceAll("AGNHOST", agnhost()).replaceAll("PAUSE", pause());
}

async function apply(file: string): Promise<void> {
  await applyManifest(stack, readManifest(file));
}

/** Returns the ids of the containers of a static pod, which change with a restart. */
async function containersOf(name: string): Promise<string> {
  return await stack.on(
    CONTROL_PLANE,
    `ctr -n k8s.io containers ls -q 'labels."io.kubernetes.pod.name"==${name}-${CONTROL_PLANE}' | sort`,
  );
}

const etcdctl = (...args: string[]) => {
  const tls = "--cacert=ca.crt --cert=healthcheck-client.crt --key=healthcheck-client.key";
  const command = `etcdctl --endpoints=https://127.0.0.1:2379 ${tls} ${args.join(" ")}`;
  return stack.on(CONTROL_PLANE, `cd /etc/kubernetes/pki/etcd && ${command}`);
};

/** Sends a request with curl, a token and the cluster's CA. Returns the body and, on the last line, the status. */
async function api(path: string, token: string, body?: object): Promise<string> {
  const data = body ? `-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'` : "";
  const tls = "--cacert /etc/kubernetes/pki/ca.crt";
  const command = `curl -s -w '\\n%{http_code}' ${tls} -H 'Authorization: Bearer ${token}' ${data}`;
  return await stack.on(CONTROL_PLANE, `${command} https://127.0.0.1:6443${path}`);
}

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe("climbing", () => {
  const containers = new Map<string, string>();
  /** Expects the static pods to run in the same containers as before. */
  async function expectNoRestarts(...names: string[]): Promise<void> {
    for (const name of names) {
      const ids = await containersOf(name);
      expect(ids, `containers of ${name}`).not.toBe("");
      expect(ids, name).toBe(containers.get(name) ?? ids);
      containers.set(name, ids);
    }
  }

  test("kubelet: runs a static pod, and stops it when its manifest is deleted", async () => {
    await stack.pulumi("stack", "init");
    await stack.pulumi("config", "set", "--path", "--secret", "auth.staticTokens[0].token", TOKEN);
    const jane = ["user=jane", "uid=1001", "groups[0]=system:masters"].flatMap((pair) => [
      "--config",
      `auth.staticTokens[0].${pair}`,
    ]);
    await climb("kubelet", "--config", "bootstrap=components", "--config", "workers.count=1", ...jane);
    address =
      (await stack.on(CONTROL_PLANE, "hostname -I")).split(" ").find((candidate) => !candidate.startsWith("10.244.")) ??
      "";
    expect(await get(`http://${address}:8080/`)).toBe(`hello from ${CONTROL_PLANE}\n`);
    const own = readManifest("ladder-static-pod.yaml");
    await stack.on(CONTROL_PLANE, `cat > /etc/kubernetes/manifests/own.yaml <<'EOF'\n${own}\nEOF`);
    await eventually("the pod answers", () => get(`http://${address}:8081/hostname`));
    await stack.on(CONTROL_PLANE, "rm /etc/kubernetes/manifests/own.yaml");
    await eventually(
      "the pod is gone",
      async () =>
        await get(`http://${address}:8081/hostname`).then(
          () => false,
          () => true,
        ),
    );
    await expectNoRestarts("hello");
  });

  test("etcd: accepts clients with a certificate only", async () => {
    const text = await climb("etcd");
    expect(text).toContain(`StaticPod ${CONTROL_PLANE}-etcd: created`);
    await etcdctl("put", "ladder", "etcd");
    expect(await etcdctl("get", "ladder")).toBe("ladder\netcd");
    const withoutCertificate = stack.on(
      CONTROL_PLANE,
      "etcdctl --endpoints=https://127.0.0.1:2379 --insecure-skip-tls-verify --command-timeout=2s get ladder",
    );
    await expect(withoutCertificate).rejects.toThrow();
    await expectNoRestarts("hello", "etcd");
  });

  test("apiserver: nodes register; a pod with a nodeName runs with ConfigMap and Secret", async () => {
    await climb("apiserver");
    kubectl = await kubectlOf(stack);
    await kubectl("wait", `node/${CONTROL_PLANE}`, `node/${WORKER}`, "--for=condition=Ready", "--timeout=30s");
    await apply("ladder.yaml");
    await kubectl("wait", "pod/placed", "--for=condition=Ready", "--timeout=60s");
    expect(await kubectl("exec", "placed", "--", "cat", "/config/word", "/secret/word")).toBe("openhidden");
    // This rung has no scheduler.
    expect(await kubectl("get", "pod", "unplaced", "-o", "jsonpath={.status.phase}/{.spec.nodeName}")).toBe("Pending/");
    await expectNoRestarts("hello", "etcd", "kube-apiserver");
  });

  test("apiserver: answers HTTP requests: 201, 409 for the second create, 401 for a wrong token or none", async () => {
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "raw" }, data: { by: "curl" } };
    const path = "/api/v1/namespaces/default/configmaps";
    expect(await api(path, TOKEN, map)).toMatch(/\n201$/);
    expect(await api(path, TOKEN, map)).toMatch(/"reason": "AlreadyExists"[\s\S]*\n409$/);
    expect(await api(path, `${TOKEN}x`)).toMatch(/\n401$/);
    const statusWithoutToken = (url: string) =>
      stack.on(
        CONTROL_PLANE,
        `curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/pki/ca.crt https://127.0.0.1:6443${url}`,
      );
    expect(await statusWithoutToken("/readyz")).toBe("200");
    expect(await statusWithoutToken(path)).toBe("401"); // anonymous requests may read the health paths only
    expect(await etcdctl("get", "--prefix", "--keys-only", "/registry/configmaps/default")).toContain(
      "/registry/configmaps/default/raw",
    );
  });

  test("scheduler: schedules the pending pod", async () => {
    const text = await climb("scheduler");
    expect(text).toContain("Done: 2 of");
    await kubectl("wait", "pod/unplaced", "--for=condition=Ready", "--timeout=60s");
    await expectNoRestarts("hello", "etcd", "kube-apiserver", "kube-scheduler");
  });

  test("controllers: a Deployment creates and replaces its pods; service accounts get tokens", async () => {
    await climb("controllers");
    await apply("ladder-web.yaml");
    await kubectl("rollout", "status", "deploy/web", "--timeout=90s");
    const pods = (await kubectl("get", "pods", "-l", "app=web", "-o", "name")).split("\n").filter(Boolean);
    expect(pods).toHaveLength(3);
    await kubectl("delete", pods[0] ?? "", "--wait=false");
    await kubectl("rollout", "status", "deploy/web", "--timeout=90s");
    await eventually(
      "three pods",
      async () =>
        (await kubectl("get", "pods", "-l", "app=web", "--field-selector=status.phase=Running", "-o", "name"))
          .split("\n")
          .filter(Boolean).length === 3,
    );
    await eventually(
      "the controller manager owns the default service account",
      async () => (await kubectl("get", "sa", "default", "-o", "jsonpath={.automountServiceAccountToken}")) === "",
    );
    expect((await kubectl("create", "token", "default")).split(".")).toHaveLength(3);
    await expectNoRestarts("hello", "etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager");
  });

  test("from apiserver to dns: a static pod and a Deployment serve without interruption", async () => {
    // A Deployment's pods run without the controllers that created them.
    await climb("apiserver");
    for (const name of ["kube-scheduler", "kube-controller-manager"])
      expect(
        await stack.on(
          CONTROL_PLANE,
          `ls /etc/kubernetes/manifests /etc/kubernetes/${name.replace("kube-", "")}.conf 2>/dev/null || true`,
        ),
      ).not.toContain(name);
    const [container = ""] = await stack.containers(WORKER);
    const clients = [`http://${address}:8080/`, `http://${address}:8090/hostname`].map(
      (url) => new LoadClient({ container, url, perSecond: PER_SECOND, most: 20_000, seconds: 900 }),
    );
    await climb("proxy");
    // A NodePort answers on every machine.
    for (const machine of [CONTROL_PLANE, WORKER]) {
      const node = await internalAddress(kubectl, machine);
      await eventually(`NodePort of ${machine}`, () => get(`http://${node}:30073/hostname`));
    }
    const cluster = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    await eventually("ClusterIP", async () =>
      (await stack.on(CONTROL_PLANE, `curl -s -m 3 http://${cluster}/hostname`)).startsWith("web-"),
    );
    await climb("dns");
    // stop() ends the requests of both clients.
    for (const client of clients) {
      const { total, failed, failures } = await client.stop();
      process.stdout.write(`    e2e-ladder │ ${total} requests, ${failed} failed\n`);
      expect(failures).toEqual([]);
      expect(total).toBeGreaterThan(100);
    }
    await expectNoRestarts("hello", "etcd");
  });

  test("dns: names resolve across nodes", async () => {
    await eventually("the name of the server on the other node resolves", async () => {
      const server = "hand.default.svc.cluster.local:8080";
      await kubectl("exec", "placed", "--", "/agnhost", "connect", "--timeout=3s", server);
      return true;
    });
    await expect(
      kubectl("exec", "placed", "--", "/agnhost", "connect", "--timeout=2s", "unknown.default.svc.cluster.local:80"),
    ).rejects.toThrow(/DNS/);
    const { text } = await stack.up();
    expect(text).toContain("Nothing to change");
  });
});

describe("descending", () => {
  test("to the first rung keeps its files and pods, and removes those of the other rungs", async () => {
    await climb("kubelet");
    for (const machine of [CONTROL_PLANE, WORKER]) {
      const files = await stack.on(
        machine,
        "find /etc/kubernetes /etc/cni /run/flannel /var/lib/etcd -type f 2>/dev/null | sort",
      );
      const expected = machine === CONTROL_PLANE ? ["/etc/kubernetes/manifests/hello.yaml"] : [];
      expect(files.split("\n")).toEqual(
        [
          "/etc/cni/net.d/99-kubewright.conflist",
          "/etc/kubernetes/kubelet.conf.d/10-kubewright.conf",
          ...expected,
        ].sort(),
      );
      const leftovers =
        "nft list tables | grep -E 'kube-proxy|flannel'; ip route | grep ' via ' | grep 10.244; " +
        "ls /var/lib/kubelet/pki | grep client; true";
      expect(await stack.on(machine, leftovers)).toBe("");
      const pods = await stack.on(machine, "ctr -n k8s.io tasks ls -q | wc -l");
      expect(Number(pods)).toBe(machine === CONTROL_PLANE ? 2 : 0); // hello and its sandbox
    }
    expect(await get(`http://${address}:8080/`)).toBe(`hello from ${CONTROL_PLANE}\n`);
  });

  test("the state has no key or token in plain text", () => {
    const files = filesBelow(stack.stateFolder).map((file) => readFileSync(file, "utf8"));
    expect(files.length).toBeGreaterThan(0);
    for (const text of files) {
      expect(text.includes(TOKEN)).toBe(false);
      expect(text).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY/);
    }
  });
});
