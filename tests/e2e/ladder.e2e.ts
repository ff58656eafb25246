import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../common/wait";
import type { Rung } from "../../render/rung";
import { LoadClient } from "../support/load-client";
import { agnhost, pause } from "../support/test-images";
import { TestStack, kubectlOf } from "../support/test-stack";

/** The ladder on two machines, up and down, with what a person can do on each rung done by real calls. */
const stack = new TestStack("e2e-ladder");
const [BOSS, HAND] = ["control-plane-1", "worker-1"] as const;
const TOKEN = "ladder-test-0123456789abcdef";
const PER_SECOND = 20;
let kubectl: (...args: string[]) => Promise<string>;
let kubectlPath = "";
let address = "";

async function climb(rung: Rung, ...more: string[]): Promise<string> {
  const { code, text } = await stack.up("--config", `rung=${rung}`, ...more);
  expect(code, text).toBe(0);
  return text;
}

async function eventually(what: string, look: () => Promise<unknown>): Promise<void> {
  let last: unknown = "";
  const once = async () =>
    await look().then(
      (answer) => (answer ? true : undefined),
      (error: unknown) => void (last = error),
    );
  await until(once, {
    signal: AbortSignal.timeout(120_000),
    timeout: 90,
    onTimeout: () => new Error(`not yet: ${what}: ${String(last)}`),
  });
}

/** An answer of plain HTTP, or why there is none. */
async function ask(url: string): Promise<string> {
  return await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(async (response) => await response.text());
}

async function apply(file: string): Promise<void> {
  const manifest = readFileSync(join(__dirname, "manifests", file), "utf8")
    .replaceAll("AGNHOST", agnhost())
    .replaceAll("PAUSE", pause());
  execFileSync(kubectlPath, ["--kubeconfig", await stack.kubeconfig(), "apply", "-f", "-"], { input: manifest });
}

/** Ids of the containers that run in a static pod: others after a restart. */
async function containersOf(name: string): Promise<string> {
  return await stack.on(
    BOSS,
    `ctr -n k8s.io containers ls -q 'labels."io.kubernetes.pod.name"==${name}-${BOSS}' | sort`,
  );
}

const etcdctl = (...words: string[]) =>
  stack.on(
    BOSS,
    `cd /etc/kubernetes/pki/etcd && etcdctl --endpoints=https://127.0.0.1:2379 --cacert=ca.crt --cert=healthcheck-client.crt --key=healthcheck-client.key ${words.join(" ")}`,
  );

/** curl as a person types it, with a token and the cluster's CA. @returns the status and the body */
async function api(path: string, token: string, body?: object): Promise<string> {
  const data = body ? `-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'` : "";
  return await stack.on(
    BOSS,
    `curl -s -w '\\n%{http_code}' --cacert /etc/kubernetes/pki/ca.crt -H 'Authorization: Bearer ${token}' ${data} https://127.0.0.1:6443${path}`,
  );
}

beforeAll(async () => {
  await stack.down("--force"); // what a killed test run may have left
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

describe("climbing", () => {
  const seen = new Map<string, string>();
  /** What is right already goes on running. */
  async function nothingRestarted(...names: string[]): Promise<void> {
    for (const name of names) {
      const now = await containersOf(name);
      expect(now, name).toBe(seen.get(name) ?? now);
      seen.set(name, now);
    }
  }

  test("kubelet: a manifest in the folder is a pod, and without it there is none", async () => {
    await stack.pulumi("stack", "init");
    await stack.pulumi("config", "set", "--path", "--secret", "auth.staticTokens[0].token", TOKEN);
    const jane = ["user=jane", "uid=1001", "groups[0]=system:masters"].flatMap((pair) => [
      "--config",
      `auth.staticTokens[0].${pair}`,
    ]);
    await climb("kubelet", "--config", "bootstrap=components", "--config", "workers.count=1", ...jane);
    address = (await stack.on(BOSS, "hostname -I")).split(" ").find((one) => !one.startsWith("10.244.")) ?? "";
    expect(await ask(`http://${address}:8080/`)).toBe(`hello from ${BOSS}\n`);
    const own = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "own" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "own",
            image: agnhost(),
            imagePullPolicy: "IfNotPresent",
            args: ["netexec", "--http-port=8081"],
            ports: [{ containerPort: 8081, hostPort: 8081 }],
          },
        ],
      },
    };
    await stack.on(BOSS, `cat > /etc/kubernetes/manifests/own.yaml <<'EOF'\n${JSON.stringify(own)}\nEOF`);
    await eventually("the pod answers", () => ask(`http://${address}:8081/hostname`));
    await stack.on(BOSS, "rm /etc/kubernetes/manifests/own.yaml");
    await eventually(
      "the pod is gone",
      async () =>
        await ask(`http://${address}:8081/hostname`).then(
          () => false,
          () => true,
        ),
    );
    await nothingRestarted("hello");
  });

  test("etcd: etcdctl with TLS, and nobody without", async () => {
    const text = await climb("etcd");
    expect(text).toContain(`StaticPod ${BOSS}-etcd: created`);
    await etcdctl("put", "ladder", "etcd");
    expect(await etcdctl("get", "ladder")).toBe("ladder\netcd");
    const stranger = stack.on(
      BOSS,
      "etcdctl --endpoints=https://127.0.0.1:2379 --insecure-skip-tls-verify --command-timeout=2s get ladder",
    );
    await expect(stranger).rejects.toThrow();
    await nothingRestarted("hello", "etcd");
  });

  test("apiserver: nodes register; a pod with a nodeName runs, with ConfigMap and Secret", async () => {
    await climb("apiserver");
    kubectl = await kubectlOf(stack);
    kubectlPath = String((await stack.outputs()).kubectlPath);
    await kubectl("wait", `node/${BOSS}`, `node/${HAND}`, "--for=condition=Ready", "--timeout=30s");
    await apply("ladder.yaml");
    await kubectl("wait", "pod/placed", "--for=condition=Ready", "--timeout=60s");
    expect(await kubectl("exec", "placed", "--", "cat", "/config/word", "/secret/word")).toBe("openhidden");
    // Nobody places it on this rung, which the next one shows.
    expect(await kubectl("get", "pod", "unplaced", "-o", "jsonpath={.status.phase}/{.spec.nodeName}")).toBe("Pending/");
    await nothingRestarted("hello", "etcd", "kube-apiserver");
  });

  test("apiserver: raw HTTP with a token; 409 for the second create, 401 for a wrong token, 403 without one", async () => {
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "raw" }, data: { by: "curl" } };
    const path = "/api/v1/namespaces/default/configmaps";
    expect(await api(path, TOKEN, map)).toMatch(/\n201$/);
    expect(await api(path, TOKEN, map)).toMatch(/"reason": "AlreadyExists"[\s\S]*\n409$/);
    expect(await api(path, `${TOKEN}x`)).toMatch(/\n401$/);
    const nobody = (where: string) =>
      stack.on(
        BOSS,
        `curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/pki/ca.crt https://127.0.0.1:6443${where}`,
      );
    expect(await nobody("/readyz")).toBe("200");
    expect(await nobody(path)).toBe("401"); // anonymous is known at the health paths only
    expect(await etcdctl("get", "--prefix", "--keys-only", "/registry/configmaps/default")).toContain(
      "/registry/configmaps/default/raw",
    );
  });

  test("scheduler: what was Pending is placed", async () => {
    const text = await climb("scheduler");
    expect(text).toContain("Done: 2 of");
    await kubectl("wait", "pod/unplaced", "--for=condition=Ready", "--timeout=60s");
    await nothingRestarted("hello", "etcd", "kube-apiserver", "kube-scheduler");
  });

  test("controllers: a Deployment makes its pods, and makes them again; service accounts get tokens", async () => {
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
      "the default service account is the controller manager's",
      async () => (await kubectl("get", "sa", "default", "-o", "jsonpath={.automountServiceAccountToken}")) === "",
    );
    expect((await kubectl("create", "token", "default")).split(".")).toHaveLength(3);
    await nothingRestarted("hello", "etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager");
  });

  test("from apiserver to dns a static pod and a Deployment go on serving", async () => {
    // A Deployment's pods outlive the controllers that made them.
    await climb("apiserver");
    for (const name of ["kube-scheduler", "kube-controller-manager"])
      expect(
        await stack.on(
          BOSS,
          `ls /etc/kubernetes/manifests /etc/kubernetes/${name.replace("kube-", "")}.conf 2>/dev/null || true`,
        ),
      ).not.toContain(name);
    const [container = ""] = await stack.containers(HAND);
    const clients = [`http://${address}:8080/`, `http://${address}:8090/hostname`].map(
      (url) => new LoadClient({ container, url, perSecond: PER_SECOND, most: 20_000, seconds: 900 }),
    );
    await climb("proxy");
    // What is a NodePort answers on every machine, from outside.
    for (const machine of [BOSS, HAND]) {
      const node = await kubectl(
        "get",
        "node",
        machine,
        "-o",
        "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}",
      );
      await eventually(`NodePort of ${machine}`, () => ask(`http://${node}:30073/hostname`));
    }
    const cluster = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    await eventually("ClusterIP", async () =>
      (await stack.on(BOSS, `curl -s -m 3 http://${cluster}/hostname`)).startsWith("web-"),
    );
    await climb("dns");
    // Stopping ends all that asks from there.
    for (const client of clients) {
      const { total, failed, failures } = await client.stop();
      process.stdout.write(`    e2e-ladder │ ${total} requests, ${failed} failed\n`);
      expect(failures).toEqual([]);
      expect(total).toBeGreaterThan(100);
    }
    await nothingRestarted("hello", "etcd");
  });

  test("dns: names resolve across nodes", async () => {
    await eventually("the other node's server, by its name", async () => {
      await kubectl(
        "exec",
        "placed",
        "--",
        "/agnhost",
        "connect",
        "--timeout=3s",
        "hand.default.svc.cluster.local:8080",
      ); // says nothing when it is well
      return true;
    });
    await expect(
      kubectl("exec", "placed", "--", "/agnhost", "connect", "--timeout=2s", "nobody.default.svc.cluster.local:80"),
    ).rejects.toThrow(/DNS/);
    const { text } = await stack.up();
    expect(text).toContain("Nothing to change");
  });
});

describe("descending", () => {
  test("to the first rung leaves what that has, and nothing of the others", async () => {
    await climb("kubelet");
    for (const machine of [BOSS, HAND]) {
      const files = await stack.on(
        machine,
        "find /etc/kubernetes /etc/cni /run/flannel /var/lib/etcd -type f 2>/dev/null | sort",
      );
      const own = machine === BOSS ? ["/etc/kubernetes/manifests/hello.yaml"] : [];
      expect(files.split("\n")).toEqual(
        ["/etc/cni/net.d/99-kubewright.conflist", "/etc/kubernetes/kubelet.conf.d/10-kubewright.conf", ...own].sort(),
      );
      expect(
        await stack.on(
          machine,
          "nft list tables | grep -E 'kube-proxy|flannel'; ip route | grep ' via ' | grep 10.244; ls /var/lib/kubelet/pki | grep client; true",
        ),
      ).toBe("");
      const pods = await stack.on(machine, "ctr -n k8s.io tasks ls -q | wc -l");
      expect(Number(pods)).toBe(machine === BOSS ? 2 : 0); // hello and its sandbox
    }
    expect(await ask(`http://${address}:8080/`)).toBe(`hello from ${BOSS}\n`);
  });

  test("no key or token is in plain state", () => {
    const files = readdirSync(stack.stateFolder, { recursive: true, withFileTypes: true })
      .filter((item) => item.isFile())
      .map((item) => readFileSync(join(item.parentPath, item.name), "utf8"));
    expect(files.length).toBeGreaterThan(0);
    for (const text of files) {
      expect(text.includes(TOKEN)).toBe(false);
      expect(text).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY/);
    }
  });
});
