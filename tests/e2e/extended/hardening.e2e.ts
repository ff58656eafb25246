import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { output } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { kubectlOf, type Kubectl } from "../../support/cluster-client";
import type { LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";
import { deployWorkload, startLoad } from "../../support/workload";

/** The last version without the hard defaults. */
const BEFORE = "13ccbb3";
const CONTROL_PLANE = "control-plane-1";

/** A folder with the program, in which first the version before and then this one works. */
const folder = join(mkdtempSync(join(tmpdir(), "kubewright-before-")), "kubewright");
const git = (...args: string[]) => output("git", args, { cwd: projectRoot() });
const checkOut = (commit: string) => output("git", ["checkout", "--quiet", "--detach", commit], { cwd: folder });

let stack: TestStack;
let kubectl: Kubectl;
let client: LoadClient;

beforeAll(async () => {
  await git("worktree", "add", "--quiet", "--detach", folder, BEFORE);
  symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
  stack = new TestStack("e2e-hardening", {}, undefined, folder);
  const { code, text } = await stack.up("--config", "extras=true", "--config", "workers.count=1");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await deployWorkload(stack, kubectl);
  await checkOut((await git("rev-parse", "HEAD")).trim());
  const [container = ""] = await stack.containers(CONTROL_PLANE);
  client = await startLoad(kubectl, { container });
});

afterAll(async () => {
  await client?.stop();
  await stack?.down("--force");
  await git("worktree", "remove", "--force", folder).catch(() => undefined);
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

const onControlPlane = (script: string) => stack.on(CONTROL_PLANE, script);

describe("the defaults", () => {
  test("reach an existing cluster with its next update", async () => {
    const { code, text } = await stack.up();
    expect(code, text).toBe(0);
    await expect(kubectl("get", "--raw", "/debug/pprof/")).rejects.toThrow(/could not find the requested resource/);
  });

  test("let only root read the kubelet's files", async () => {
    const files = "/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env /etc/kubernetes/kubelet.conf.d/*";
    for (const machine of [CONTROL_PLANE, "worker-1"])
      expect(new Set((await stack.on(machine, `stat -c %a ${files}`)).split("\n")), machine).toEqual(new Set(["600"]));
  });

  test("refuse TLS 1.1 and weak cipher suites", async () => {
    for (const port of [6443, 10250]) {
      const connect = (options: string) =>
        onControlPlane(
          `echo | openssl s_client -connect 127.0.0.1:${port} ${options} 2>&1 | grep -c 'BEGIN CERT'; true`,
        );
      expect(await connect("-tls1_1"), String(port)).toBe("0");
      expect(await connect("-tls1_2 -cipher ECDHE-RSA-AES128-SHA"), String(port)).toBe("0");
      expect(await connect("-tls1_2"), String(port)).not.toBe("0");
      expect(await connect("-tls1_3"), String(port)).not.toBe("0");
    }
  });

  test("change nothing at the next run", async () => {
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
  });
});

test("no request to the workload failed", async () => {
  const { total, failed, failures } = await client.stop();
  process.stdout.write(`    e2e-hardening │ ${total} requests, ${failed} failed\n`);
  expect(failures).toEqual([]);
});
