import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { output } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { kubectlOf, type Kubectl } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";
import { deployWorkload, startLoad } from "../../support/workload";

/** The last version whose nodes use the first control plane's address. */
const BEFORE = "c9db805";

/** A folder with the program, in which first the version before and then this one works. */
const folder = join(mkdtempSync(join(tmpdir(), "kubewright-before-")), "kubewright");
const git = (...args: string[]) => output("git", args, { cwd: projectRoot() });
const checkOut = (commit: string) => output("git", ["checkout", "--quiet", "--detach", commit], { cwd: folder });

let stack: TestStack;
let kubectl: Kubectl;

beforeAll(async () => {
  await git("worktree", "add", "--quiet", "--detach", folder, BEFORE);
  symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
  stack = new TestStack("e2e-conversion", {}, undefined, folder);
  const { code, text } = await stack.up("--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await deployWorkload(stack, kubectl);
  await checkOut((await git("rev-parse", "HEAD")).trim());
});

afterAll(async () => {
  await stack?.down("--force");
  await git("worktree", "remove", "--force", folder).catch(() => undefined);
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

test("a cluster of the version before gets its balancers in place, and no request fails", async () => {
  const [container = ""] = await stack.containers("control-plane-1");
  const client = await startLoad(kubectl, { container });
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  const { total, failed, failures } = await client.stop();
  process.stdout.write(`    e2e-conversion │ ${total} requests, ${failed} failed\n`);
  expect(failures).toEqual([]);
  for (const worker of ["worker-1", "worker-2"])
    expect(await stack.on(worker, "grep server: /etc/kubernetes/kubelet.conf")).toContain(":7443");
  expect(await kubectl("-n", "kube-public", "get", "configmap", "cluster-info", "-o", "yaml")).toContain(":7443");
  expect(await kubectl("-n", "kube-system", "get", "configmap", "kube-proxy", "-o", "yaml")).toContain(":7443");
});

test("the second run changes nothing", async () => {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(text).toContain("Nothing to change");
});
