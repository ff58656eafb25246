import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubectlOf } from "../support/cluster-client";
import { TestStack } from "../support/test-stack";

/** The ladder with `runtime: docker` on one machine. extended/docker.e2e.ts covers a kubeadm cluster on Docker. */
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
    ladder.removeFiles();
  });

  test("rung kubelet: runs a static pod, which `docker ps` lists", async () => {
    await climb("bootstrap=components", "rung=kubelet", "runtime=docker", "workers.count=0");
    expect((await containers()).split("\n")).toEqual([
      expect.stringMatching(/^k8s_POD_hello-/),
      expect.stringMatching(/^k8s_hello_hello-/),
    ]);
  });

  test("rung dns: runs a Deployment", async () => {
    const before = await containers();
    await climb("rung=dns");
    const kubectl = await kubectlOf(ladder);
    await kubectl("apply", "-f", "examples/ladder/web.yaml");
    await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
    const now = await containers();
    expect(now).toMatch(/^k8s_web_web-/m);
    for (const name of before.split("\n")) expect(now).toContain(name); // the first rung was not restarted
  });

  test("descends to rung kubelet and removes the other rungs", async () => {
    await climb("rung=kubelet");
    expect((await containers()).split("\n")).toEqual([
      expect.stringMatching(/^k8s_POD_hello-/),
      expect.stringMatching(/^k8s_hello_hello-/),
    ]);
    expect(await ladder.on("control-plane-1", "curl -s http://127.0.0.1:8080/")).toBe("hello from control-plane-1");
  });
});
