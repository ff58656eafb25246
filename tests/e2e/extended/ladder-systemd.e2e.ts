import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubectlOf } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";

/** The ladder on one machine, with `controlPlane.runAs: systemd`. */
describe("control plane as systemd services", () => {
  const services = new TestStack("e2e-ladder-systemd");
  const SERVICES = ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"];

  beforeAll(async () => {
    await services.down("--force"); // left by a killed test run
  });
  afterAll(async () => {
    await services.down("--force");
    services.removeFiles();
  });

  test("starts the control plane as services, and CoreDNS is available", async () => {
    const { code, text } = await services.up(
      "--config",
      "bootstrap=components",
      "--config",
      "controlPlane.runAs=systemd",
      "--config",
      "workers.count=0",
    );
    expect(code, text).toBe(0);
    expect(await services.on("control-plane-1", `systemctl is-active ${SERVICES.join(" ")}`)).toBe(
      SERVICES.map(() => "active").join("\n"),
    );
    expect(await services.on("control-plane-1", "ls /etc/kubernetes/manifests")).toBe("hello.yaml");
    const run = await kubectlOf(services);
    await run("wait", "node/control-plane-1", "--for=condition=Ready", "--timeout=30s");
    await run("-n", "kube-system", "wait", "deploy/coredns", "--for=condition=Available", "--timeout=30s");
  });

  test("removes the other services when it descends to etcd", async () => {
    const { code, text } = await services.up("--config", "rung=etcd");
    expect(code, text).toBe(0);
    expect(
      await services.on(
        "control-plane-1",
        "ls /etc/systemd/system | grep -E '^(etcd|kube-)' ; systemctl is-active etcd",
      ),
    ).toBe("etcd.service\nactive");
    expect(await services.on("control-plane-1", "ls /usr/local/bin | grep ^kube- ; true")).toBe("");
  });
});
