import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { output } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { until } from "../../../common/wait";
import { AUDIT_FOLDER } from "../../../render/audit";
import { kubectlOf, type Kubectl } from "../../support/cluster-client";
import type { LoadClient } from "../../support/load-client";
import { pause } from "../../support/test-images";
import { TestStack } from "../../support/test-stack";
import { deployWorkload, startLoad } from "../../support/workload";

/** The last version without the hard defaults. */
const BEFORE = "13ccbb3";
const CONTROL_PLANE = "control-plane-1";

/** What the tests read of an event of the audit log. */
interface AuditEvent {
  verb: string;
  user: { username: string };
}

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

  test("change nothing at the next run", async () => await expectNoChange());
});

/** Changes the section `security` of the configuration, and updates the cluster. */
async function secure(settings: object): Promise<void> {
  stack.configure((config) => {
    config["kubewright:security"] = { ...(config["kubewright:security"] as object | undefined), ...settings };
  });
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
}

async function expectNoChange(): Promise<void> {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(text).toContain("Nothing to change");
}

describe("an audit log", () => {
  const FILES = `${AUDIT_FOLDER}/audit-*.log`;
  const VALUE = `the-value-${randomBytes(8).toString("hex")}`;

  /** Returns the events about an object, once there is one with this verb. */
  const eventsOf = async (name: string, verb: string): Promise<AuditEvent[]> =>
    await until(
      async () => {
        const lines = await onControlPlane(`cat ${AUDIT_FOLDER}/*.log 2>/dev/null | grep -F '"name":"${name}"'; true`);
        const events = lines
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as AuditEvent);
        return events.some((event) => event.verb === verb) ? events : undefined;
      },
      {
        signal: AbortSignal.timeout(60_000),
        timeout: 30,
        onTimeout: () => new Error(`the audit log has no ${verb} of ${name}`),
      },
    );

  test("is switched on, and has who did what, without the content of a Secret", async () => {
    await secure({ audit: { enabled: true } });
    const user = await kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}");
    await kubectl("create", "secret", "generic", "audited", `--from-literal=password=${VALUE}`);
    expect(await kubectl("get", "secret", "audited", "-o", "jsonpath={.data.password}")).toBe(btoa(VALUE));
    const events = (await eventsOf("audited", "get")).filter((event) => event.user.username === user);
    expect(new Set(events.map(({ verb }) => verb))).toEqual(new Set(["create", "get"]));
    for (const event of events) {
      expect(event).toMatchObject({ level: "Metadata", objectRef: { resource: "secrets", namespace: "default" } });
      expect(event).not.toHaveProperty("requestObject");
      expect(event).not.toHaveProperty("responseObject");
    }
    const found = `grep -rlF -e '${VALUE}' -e '${btoa(VALUE)}' ${AUDIT_FOLDER} | wc -l`;
    expect(await onControlPlane(found)).toBe("0");
    expect(await onControlPlane(`stat -c '%U %a' ${AUDIT_FOLDER}/audit.log`)).toBe("root 600");
  });

  test("has the content of a change of permissions", async () => {
    await kubectl("create", "role", "audited-role", "--verb=get", "--resource=pods");
    const [event] = await eventsOf("audited-role", "create");
    expect(event).toMatchObject({ level: "Request", requestObject: { rules: [{ resources: ["pods"] }] } });
  });

  test("changes nothing at the next run", expectNoChange);

  test("follows rules of the user, and keeps as many files as they may be", async () => {
    const rules = [{ level: "Metadata", resources: [{ resources: ["secrets"] }] }, { level: "None" }];
    await secure({ audit: { enabled: true, rules, maxMegabytes: 1, maxFiles: 2 } });
    await kubectl("create", "configmap", "not-audited");
    await kubectl("create", "secret", "generic", "audited-later");
    await eventsOf("audited-later", "create");
    expect(await onControlPlane(`cat ${AUDIT_FOLDER}/*.log | grep -cF '"name":"not-audited"'; true`)).toBe("0");
    // An event has the whole address of its request: these are 5 MB.
    const padding = "x".repeat(100_000);
    for (let request = 0; request < 50; request++)
      await kubectl("get", "--raw", `/api/v1/namespaces/default/secrets?limit=1&padding=${padding}`);
    await until(async () => ((await onControlPlane(`ls ${FILES} | wc -l`)) === "2" ? true : undefined), {
      signal: AbortSignal.timeout(60_000),
      timeout: 30,
      onTimeout: () => new Error("the audit log does not have two files besides the current one"),
    });
    const sizes = (await onControlPlane(`stat -c %s ${AUDIT_FOLDER}/*.log`)).split("\n").map(Number);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  });
});

describe("a Pod Security Standard", () => {
  const runPrivileged = (namespace: string, ...args: string[]) =>
    kubectl(
      ...["run", "privileged", "-n", namespace, "--image", pause(), "--image-pull-policy=IfNotPresent"],
      ...["--privileged", ...args],
    );

  test("that does not exist is refused at preview", async () => {
    const { code, text } = await stack.npmRun("preview", "--config", "security.podSecurity.enforce=strict");
    expect(code, text).not.toBe(0);
    expect(text).toContain('security.podSecurity.enforce: cannot be "strict"');
  });

  test("refuses a privileged pod in a plain namespace, and allows it in an exempt one", async () => {
    for (const namespace of ["plain", "exempt"]) {
      await kubectl("create", "namespace", namespace);
      await kubectl("wait", "-n", namespace, "serviceaccount/default", "--for=create", "--timeout=60s");
    }
    await runPrivileged("plain", "--dry-run=server"); // allowed so far
    await secure({ podSecurity: { enforce: "baseline", exemptNamespaces: ["exempt"] } });
    await expect(runPrivileged("plain")).rejects.toThrow(/violates PodSecurity "baseline:latest": privileged/);
    await runPrivileged("exempt");
    await kubectl("wait", "-n", "exempt", "pod/privileged", "--for=condition=Ready", "--timeout=60s");
  });

  test("does not concern the components of the cluster", async () => {
    for (const namespace of ["kube-system", "kube-flannel"]) await runPrivileged(namespace, "--dry-run=server");
  });

  test("changes nothing at the next run", expectNoChange);
});

test("no request to the workload failed", async () => {
  const { total, failed, failures } = await client.stop();
  process.stdout.write(`    e2e-hardening │ ${total} requests, ${failed} failed\n`);
  expect(failures).toEqual([]);
});
