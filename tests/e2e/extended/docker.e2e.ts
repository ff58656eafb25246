import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { agnhost } from "../../support/test-images";
import { kubectlOf } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion } from "../../support/versions";

const VERSION = newestVersion(loadVersions());
const stack = new TestStack("e2e-docker");

let kubectl: (...args: string[]) => Promise<string>;

beforeAll(async () => void (await stack.down())); // left by a killed test run

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

/** Names of the running containers of a machine, as `docker ps` lists them. */
const dockerPs = (machine: string, format = "{{.Names}}") =>
  stack.on(machine, `docker ps --no-trunc --format '${format}' | sort`);

describe("runtime: docker", () => {
  test("creates Ready nodes whose runtime is Docker Engine", async () => {
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

  test("changes nothing on the second run", async () => {
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });

  test("lists pods in `docker ps`; logs, exec and DNS work", async () => {
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

  test("refuses another runtime and changes nothing", async () => {
    const before = await dockerPs("worker-1", "{{.ID}}");
    const { code, text } = await stack.up("--config", "runtime=containerd");
    expect(code).not.toBe(0);
    expect(text).toMatch(/runtime: cannot change from docker to containerd on an existing node/);
    expect(await dockerPs("worker-1", "{{.ID}}")).toBe(before);
    const again = await stack.up("--config", "runtime=docker");
    expect(again.code, again.text).toBe(0);
  });

  test("restores changed settings without restarting containers", async () => {
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

  test("resets a node without leftovers, and joins it again", async () => {
    await kubectl("delete", "pod", "hello", "--now");
    expect((await stack.npmRun("node:reset", "worker-1", "--yes")).code).toBe(0);
    const left = [
      "find /etc/kubernetes /var/lib/kubelet /etc/cni /opt/cni /etc/docker/daemon.json -type f",
      "ls -d /var/lib/cri-dockerd /run/cri-dockerd.sock",
      "ls /etc/systemd/system /usr/local/bin | grep -E 'cri-docker|kube'",
      "docker ps -aq; docker image ls -q; ip -o link | grep -E 'cni0|flannel|veth'; ip route | grep 10.244",
    ];
    expect(await stack.on("worker-1", `{ ${left.join("; ")}; } 2>/dev/null; true`)).toBe("");
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    expect(text).toMatch(/worker-1 +Ready .*docker:\/\//);
  });
});
