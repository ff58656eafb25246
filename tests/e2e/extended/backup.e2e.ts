import { cpSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../../common/process";
import { BackedUpCluster, PASSWORD } from "../../support/backed-up-cluster";
import { waitForNodes, waitForPods } from "../../support/cluster-client";
import { loadSince, type Load } from "../../support/load-client";
import type { Finished } from "../../support/test-stack";

const CONTROL_PLANE = "control-plane-1";
const BACKUP_FOLDER = "/var/lib/kubewright/backup";

const cluster = new BackedUpCluster("e2e-backup");
const { stack } = cluster;

beforeAll(async () => await cluster.create());
afterAll(async () => await cluster.remove());

/** Expects a command to fail with a message, and the cluster to work as before. */
async function expectFailure(result: Finished, ...messages: readonly RegExp[]): Promise<void> {
  const before = await cluster.configMaps();
  expect(result.code, result.text).toBe(1);
  for (const message of messages) expect(result.text).toMatch(message);
  expect(await stack.on(CONTROL_PLANE, `ls ${BACKUP_FOLDER} /etc/kubernetes/manifests`)).not.toContain("restore-phase");
  expect(await cluster.configMaps()).toEqual(before);
}

describe("a backup", () => {
  test("is taken, proved in a scratch etcd, listed, and known to the status", async () => {
    await cluster.kubectl("create", "configmap", "stays");
    await cluster.kubectl("create", "configmap", "deleted-later");
    const started = Date.now();
    const { code, text } = await stack.npmRun("backup");
    cluster.report("backup", started);
    expect(code, text).toBe(0);
    expect(text).toMatch(/Backup [0-9a-f]{8} of \S+ is stored in/);
    expect((await stack.npmRun("backup:list")).text).toMatch(/[0-9a-f]{8} +\S+Z +\d minutes? +control-plane-1/);
    expect((await stack.npmRunQuietly("status")).text).toMatch(/backup +[0-9a-f]{8}, \d minutes? ago; no drill/);
  });

  test("is restored by a drill, which changes nothing", async () => {
    const started = Date.now();
    const { code, text } = await stack.npmRun("backup:drill");
    cluster.report("drill", started);
    expect(code, text).toBe(0);
    expect(text).toContain("can be restored: a scratch etcd on control-plane-1");
    expect(await cluster.configMaps()).toEqual(["deleted-later", "stays"]);
  });
});

describe("a restore that cannot work", () => {
  test("names a wrong password", async () => {
    await cluster.setPassword("another password");
    await expectFailure(await stack.npmRun("restore", "--yes"), /the password is wrong/, /backup\.password/);
    await expectFailure(await stack.npmRun("backup"), /the password is wrong/);
    await cluster.setPassword(PASSWORD);
  });

  test("names a damaged repository", async () => {
    const damaged = `${cluster.repository}-damaged`;
    cpSync(cluster.repository, damaged, { recursive: true });
    for (const pack of readdirSync(join(damaged, "data"), { recursive: true, withFileTypes: true }))
      if (pack.isFile()) truncateSync(join(pack.parentPath, pack.name), 100);
    cluster.configure(damaged);
    const result = await stack.npmRun("restore", "--yes");
    cluster.configure(cluster.repository);
    await expectFailure(result, /reading the backup failed on .*damaged/, /restic check/);
  });

  test("names a full disk", async () => {
    await stack.on(CONTROL_PLANE, `mount -t tmpfs -o size=1m tmpfs ${BACKUP_FOLDER}`);
    const result = await stack.npmRun("restore", "--yes");
    await stack.on(CONTROL_PLANE, `umount ${BACKUP_FOLDER}`);
    await expectFailure(result, /copying etcdutl failed on control-plane-1 [^]*?free space on the disk/);
  });
});

describe("a restore under load", () => {
  test("brings the backup's state back, and a client that watched before learns of it", async () => {
    await cluster.startInformer();
    await cluster.kubectl("delete", "configmap", "deleted-later");
    await cluster.kubectl("create", "configmap", "created-later");
    await cluster.waitForInformer("created-later", "stays");
    const [started, before] = [Date.now(), cluster.client.mark()];
    const { code, text } = await stack.npmRun("restore", "--yes");
    cluster.report("restore", started);
    expect(code, text).toBe(0);
    expect(text).toMatch(/configmaps that disappear: default\/created-later/);
    expect(text).toMatch(/configmaps that come back: default\/deleted-later/);
    expect(await cluster.configMaps()).toEqual(["deleted-later", "stays"]);
    await cluster.waitForInformer("deleted-later", "stays");
    await waitForNodes(cluster.kubectl, CONTROL_PLANE, "worker-1");
    await waitForPods(cluster.kubectl);
    expect(loadSince(before, cluster.client).failed, cluster.client.load.failures.join("\n")).toBe(0);
    await cluster.informer?.stop();
  });

  test("is put back by Ctrl-C", async () => {
    await cluster.kubectl("create", "configmap", "since-the-restore");
    const { code, text } = await interruptRestore((pid) => process.kill(pid, "SIGINT"));
    expect(code, text).toBe(130);
    expect(text).toContain("the previous state was put back");
    expect(await cluster.configMaps()).toEqual(["deleted-later", "since-the-restore", "stays"]);
  });

  test("that is killed is completed by the next one", async () => {
    await interruptRestore((pid) => process.kill(-pid, "SIGKILL"));
    const started = Date.now();
    const { code, text } = await stack.npmRun("restore", "--yes");
    cluster.report("restore after a killed one", started);
    expect(code, text).toBe(0);
    expect(text).toContain("an earlier restore was interrupted: putting the previous state back first");
    expect(await cluster.configMaps()).toEqual(["deleted-later", "stays"]);
    await waitForNodes(cluster.kubectl, CONTROL_PLANE, "worker-1");
    await waitForPods(cluster.kubectl);
  });
});

/** Starts a restore, and interrupts it while etcd starts with the restored data. */
async function interruptRestore(how: (pid: number) => void): Promise<Finished> {
  return await interruptCommand("restore", /starting etcd with the restored data/, how, ["--yes"]);
}

/** Starts a command, and interrupts it when its output matches. */
async function interruptCommand(
  command: string,
  when: RegExp,
  how: (pid: number) => void,
  args: readonly string[],
): Promise<Finished> {
  let text = "";
  let interrupted = false;
  const onText = (chunk: string) => {
    text += chunk;
    if (interrupted || !when.test(text)) return;
    interrupted = true;
    how(child.pid ?? 0);
  };
  const { child } = await stack.startCommand(command, onText, ...args);
  const { exitCode } = await child;
  expect(interrupted, text).toBe(true);
  return { code: exitCode, text };
}

describe("the loss of the only control plane", () => {
  let lost: number;
  let podsBefore: string;
  let before: Load;

  test("does not stop the pods of the worker, and a new control plane is made from the backup", async () => {
    await cluster.kubectl("create", "configmap", "in-the-last-backup");
    expect((await stack.npmRun("backup")).code).toBe(0);
    await cluster.kubectl("create", "configmap", "after-the-last-backup");
    podsBefore = await cluster.servingPods();
    [lost, before] = [Date.now(), cluster.client.mark()];
    await run("docker", ["rm", "-f", "-v", ...(await stack.containers(CONTROL_PLANE))]);
    const { text } = await interruptCommand("up", /kubeadm init: /, (pid) => process.kill(-pid, "SIGKILL"), [
      ...["--yes", "--restore-from", "latest"],
    ]);
    expect(text).toMatch(/reading the backup [0-9a-f]{8}/);
  });

  test("by the next run, where the first one was killed", async () => {
    const { code, text } = await stack.up("--yes");
    cluster.report("the cluster is restored on a new control plane, after the loss", lost);
    expect(code, text).toBe(0);
    expect(text).toMatch(/the cluster is restored from backup [0-9a-f]{8}/);
    await cluster.connect();
    const names = await cluster.configMaps();
    expect(names).toContain("in-the-last-backup");
    expect(names).not.toContain("after-the-last-backup");
    await waitForNodes(cluster.kubectl, CONTROL_PLANE, "worker-1");
    await waitForPods(cluster.kubectl);
    cluster.report("all pods are ready, after the loss", lost);
    expect(await cluster.servingPods()).toBe(podsBefore);
    expect(loadSince(before, cluster.client).failed, cluster.client.load.failures.join("\n")).toBe(0);
  });

  test("new pods start, and the backup in the configuration changes nothing any more", async () => {
    await cluster.kubectl("scale", "deploy/web", "--replicas=5");
    await cluster.kubectl("rollout", "status", "deploy/web", "--timeout=120s");
    const { code, text } = await stack.up("--refresh");
    expect(code, text).toBe(0);
    expect(text).toContain("Nothing to change");
    expect(await cluster.configMaps()).toContain("in-the-last-backup");
  });
});
