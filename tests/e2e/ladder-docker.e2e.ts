import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../artifacts/index";
import { agnhost } from "../support/test-images";
import { TestStack, kubectlOf } from "../support/test-stack";
import { newestVersion } from "../support/versions";

const VERSION = newestVersion(loadVersions());
const stack = new TestStack("e2e-docker");

let kubectl: (...args: string[]) => Promise<string>;

beforeAll(async () => void (await stack.down())); // what a killed test run may have left

afterAll(async () => {
  await stack.down("--force");
  stack.forget();
});

/** Running containers of a machine, as somebody sees them who knows Docker. */
const dockerPs = (machine: string, format = "{{.Names}}") =>
  stack.on(machine, `docker ps --no-trunc --format '${format}' | sort`);

describe("runtime: docker", () => {
  test("makes Ready nodes whose runtime is Docker Engine", async () => {
    const { code, text } = await stack.up(
      "--config",
      "runtime=docker",
      "--config",
      "workers.count=1",
      "--config",
      "extras=true",
    );
    expect(code, text).toBe(0);
    for (const node of ["control-plane-1", "worker-1"])
      expect(text).toMatch(new RegExp(`${node} +Ready .*v${VERSION} .*docker://`));
    kubectl = await kubectlOf(stack);
  });

  test("changes nothing the second time", async () => {
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });

  test("pods are seen in `docker ps`, and serve: logs, exec, DNS", async () => {
    expect(await dockerPs("control-plane-1")).toMatch(
      /^k8s_kube-apiserver_kube-apiserver-control-plane-1_kube-system_/m,
    );
    await kubectl(
      "run",
      "hello",
      `--image=${agnhost()}`,
      "--image-pull-policy=Never",
      "--",
      "netexec",
      "--http-port=8080",
    );
    await kubectl("wait", "pod/hello", "--for=condition=Ready", "--timeout=120s");
    expect(await dockerPs("worker-1")).toMatch(/^k8s_POD_hello_default_/m);
    expect(await dockerPs("worker-1")).toMatch(/^k8s_hello_hello_default_/m);
    expect(await kubectl("logs", "hello")).toContain("Started HTTP server on port 8080");
    await kubectl(
      "exec",
      "hello",
      "--",
      "/agnhost",
      "connect",
      "--timeout=10s",
      "kubernetes.default.svc.cluster.local:443",
    );
  });

  test("another runtime is refused, and nothing is touched", async () => {
    const before = await dockerPs("worker-1", "{{.ID}}");
    const { code, text } = await stack.up("--config", "runtime=containerd");
    expect(code).not.toBe(0);
    expect(text).toMatch(/worker-1: it is a node that runs on docker.*set runtime: docker/);
    expect(await dockerPs("worker-1", "{{.ID}}")).toBe(before);
    const again = await stack.up("--config", "runtime=docker");
    expect(again.code, again.text).toBe(0);
  });

  test("changed settings are mended while containers run on", async () => {
    const before = await dockerPs("worker-1", "{{.ID}}");
    await stack.on("worker-1", "echo >> /etc/docker/daemon.json; systemctl stop cri-docker.socket cri-docker.service");
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toMatch(/worker-1-docker: updated[\s\S]*worker-1-cri-dockerd: updated/);
    expect(await stack.on("worker-1", "systemctl is-active docker cri-docker.socket cri-docker.service")).toBe(
      "active\nactive\nactive",
    );
    expect(await dockerPs("worker-1", "{{.ID}}")).toBe(before);
    await kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=120s");
  });

  test("a node that is reset has nothing of ours, and joins again", async () => {
    await kubectl("delete", "pod", "hello", "--now");
    expect((await stack.script("node:reset", "worker-1", "--yes")).code).toBe(0);
    const left = [
      "find /etc/kubernetes /var/lib/kubelet /etc/cni /opt/cni /etc/docker/daemon.json /run/cri-dockerd.sock -type f; ls -d /var/lib/cri-dockerd /run/cri-dockerd.sock",
      "ls /etc/systemd/system /usr/local/bin | grep -E 'cri-docker|kube'",
      "docker ps -aq; docker image ls -q; ip -o link | grep -E 'cni0|flannel|veth'; ip route | grep 10.244",
    ];
    expect(await stack.on("worker-1", `{ ${left.join("; ")}; } 2>/dev/null; true`)).toBe("");
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(/worker-1 +Ready .*docker:\/\//);
  });
});

describe("the ladder on Docker", () => {
  const ladder = new TestStack("e2e-docker-ladder");
  const containers = () => ladder.on("control-plane-1", "docker ps --format '{{.Names}}' | sort");
  const climb = async (...settings: string[]) => {
    const { code, text } = await ladder.up(...settings.flatMap((setting) => ["--config", setting]));
    expect(code, text).toBe(0);
  };

  beforeAll(async () => void (await ladder.down()));
  afterAll(async () => {
    await ladder.down("--force");
    ladder.forget();
  });

  test("a kubelet alone runs its static pod, seen in `docker ps`", async () => {
    await climb("bootstrap=components", "rung=kubelet", "runtime=docker", "workers.count=0");
    expect((await containers()).split("\n")).toEqual([
      expect.stringMatching(/^k8s_POD_hello-/),
      expect.stringMatching(/^k8s_hello_hello-/),
    ]);
  });

  test("at the top a Deployment runs", async () => {
    const before = await containers();
    await climb("rung=dns");
    const reach = await kubectlOf(ladder);
    await reach("apply", "-f", "examples/ladder/web.yaml");
    await reach("rollout", "status", "deploy/web", "--timeout=180s");
    const now = await containers();
    expect(now).toMatch(/^k8s_web_web-/m);
    for (const name of before.split("\n")) expect(now).toContain(name); // nothing of the first rung restarted
  });

  test("down again, and only the first rung is there", async () => {
    await climb("rung=kubelet");
    expect((await containers()).split("\n")).toEqual([
      expect.stringMatching(/^k8s_POD_hello-/),
      expect.stringMatching(/^k8s_hello_hello-/),
    ]);
    expect(await ladder.on("control-plane-1", "curl -s http://127.0.0.1:8080/")).toBe("hello from control-plane-1");
  });
});
