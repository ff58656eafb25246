import { describe, expect, test } from "vitest";
import { containerdConfig, registryHosts, registryHostsPath } from "../../../render/containerd";
import { golden } from "./samples";

const pauseImage = "registry.k8s.io/pause:3.10.2";

describe("containerd", () => {
  test("configures an ordinary machine", async () => {
    const text = containerdConfig({ pauseImage, facts: { capSysResource: true } });
    await expect(text).toMatchFileSnapshot(golden("containerd/config.toml"));
  });

  test("restricts OOM scores only on machines that cannot lower them", () => {
    expect(containerdConfig({ pauseImage, facts: { capSysResource: true } })).toContain(
      "restrict_oom_score_adj = false",
    );
    expect(containerdConfig({ pauseImage, facts: { capSysResource: false } })).toContain(
      "restrict_oom_score_adj = true",
    );
  });

  test("a mirrored registry", async () => {
    const mirror = {
      registry: "docker.io",
      endpoints: ["https://one.example.com", "http://10.0.0.5:5000"],
      caFile: "/etc/ssl/mirror.pem",
    };
    expect(registryHostsPath(mirror)).toBe("/etc/containerd/certs.d/docker.io/hosts.toml");
    await expect(registryHosts(mirror)).toMatchFileSnapshot(golden("containerd/hosts.toml"));
  });
});
