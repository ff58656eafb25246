import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { networkName } from "../../../provider/docker/network";
import { ACCESS_FOLDER, RESTIC } from "../../../render/backup/access";
import {
  BACKUP_RESULT,
  BACKUP_SERVICE,
  BACKUP_TIMER,
  BACKUP_TIMER_FOLDER,
  DRILL_RESULT,
  DRILL_SERVICE,
  DRILL_TIMER,
} from "../../../render/backup/timer";
import { OwnMachine } from "../../support/own-machine";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const PASSWORD = "the password of the suite";
const WRONG_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/** Folder of the login on the server. */
const FOLDER = "/home/admin/backups";
const MINUTE_MS = 60_000;

const stack = new TestStack("e2e-backup-timer");
/** The server of the repository: a machine on the cluster's network outside of the stack. */
let server: OwnMachine;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "controlPlane.count=3", "--config", "workers.count=1");
  expect(code, text).toBe(0);
  const network = networkName(String((await stack.outputs()).stackId));
  server = await OwnMachine.start({ hostname: "nas", network, hostNumber: 5 });
  const args = ["config", "set", "--secret", "--path", "backup.password", PASSWORD];
  expect((await stack.pulumiQuietly(...args)).code).toBe(0);
});

afterAll(async () => {
  await server?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

/** Sets properties of the section `backup`. Those that are undefined are removed. */
function configure(properties: Record<string, unknown>): void {
  stack.configure((config) => {
    const all = { ...(config["kubewright:backup"] as object), ...properties };
    config["kubewright:backup"] = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  });
}

const sftp = (hostKey: string) => ({ key: server.keyPath, hostKey });

async function runTimer(machine: string): Promise<string> {
  await stack.on(machine, `systemctl start ${BACKUP_SERVICE} || true`);
  return await stack.on(machine, `cat ${BACKUP_RESULT}`);
}

const resultsOf = async () =>
  await Promise.all(CONTROL_PLANES.map((name) => stack.on(name, `cat ${BACKUP_RESULT} 2>/dev/null || true`)));

const statusOf = async () => (await stack.npmRunQuietly("status")).text;

/** Expects that control planes have no secret, no program and no unit of scheduled backups. */
async function expectNoAccess(): Promise<void> {
  for (const name of CONTROL_PLANES) {
    const paths = `${ACCESS_FOLDER} ${BACKUP_TIMER_FOLDER} ${RESTIC} ${BACKUP_RESULT} ${DRILL_RESULT}`;
    expect(await stack.on(name, `ls -d ${paths} 2>/dev/null || true`)).toBe("");
    expect(await stack.on(name, "systemctl list-units --all --no-legend 'kubewright-backup*'")).toBe("");
    expect(await stack.on(name, "systemctl list-unit-files --no-legend 'kubewright-backup*' || true")).toBe("");
    expect(await stack.on(name, `grep -rlsF '${PASSWORD}' /etc /run /tmp /var/lib/kubewright || true`)).toBe("");
  }
}

test("a server with another host key is named during `up`, and no secret stays on a machine", async () => {
  configure({ repository: `sftp:admin@${server.address}:backups`, sftp: sftp(WRONG_HOST_KEY) });
  configure({ schedule: "daily", drillSchedule: "weekly" });
  const { code, text } = await stack.up();
  expect(code, text).toBe(1);
  expect(text).toMatch(/opening the repository of backups failed on control-plane-1 /);
  expect(text).toContain("the server's host key is not that of backup.sftp.hostKey");
  await expectNoAccess();
});

test("the next run gives every control plane a timer, and the first one creates the repository", async () => {
  configure({ sftp: sftp((await server.on("cat /etc/ssh/ssh_host_ed25519_key.pub")).trim()) });
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  expect(text).not.toContain(PASSWORD);
  expect(await server.on(`ls ${FOLDER}`)).toContain("config");
  for (const timer of [BACKUP_TIMER, DRILL_TIMER])
    for (const name of CONTROL_PLANES) expect(await stack.on(name, `systemctl is-active ${timer}`)).toBe("active");
  expect((await stack.npmRun("backup:list")).text).not.toMatch(/[0-9a-f]{8} +\S+Z/);
});

/** A calendar of one minute, six minutes from now, without a random delay. */
async function scheduleSoon(): Promise<void> {
  const date = new Date(Date.now() + 6 * MINUTE_MS).toISOString();
  configure({ schedule: `*-*-* ${date.slice(11, 16)} UTC` });
  const folder = `/etc/systemd/system/${BACKUP_TIMER}.d`;
  const dropIn = `mkdir -p ${folder} && printf '[Timer]\\nRandomizedDelaySec=0\\n' >${folder}/test.conf`;
  for (const name of CONTROL_PLANES) await stack.on(name, `${dropIn} && systemctl daemon-reload`);
}

async function waitForRuns(): Promise<string[]> {
  return await until(
    async () => {
      const results = await resultsOf();
      return results.every((result) => /^(ok|failed|postponed) /.test(result)) ? results : undefined;
    },
    {
      signal: new AbortController().signal,
      ...{ timeout: 1_200, every: 5_000 },
      onTimeout: () => new Error("a timer has not run"),
    },
  );
}

test("three timers start at the same date: one control plane backs up, and the others find its backup", async () => {
  await scheduleSoon();
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  const results = await waitForRuns();
  const [backup = ""] = results.flatMap((result) => /^ok \S+\nbackup ([0-9a-f]{8})$/.exec(result)?.[1] ?? []);
  expect(backup, results.join("\n")).not.toBe("");
  const others = results.filter((result) => result.includes(`backup ${backup} is newer than the last date`));
  expect(others, results.join("\n")).toHaveLength(2);
  const { text: list } = await stack.npmRun("backup:list");
  expect(list.match(/^[0-9a-f]{8} +\S+Z/gm), list).toHaveLength(1);
  expect(await statusOf()).toContain(`backup        ${backup}, `);
});

test("the timer of drills and a drill on this computer prove the scheduled backup", async () => {
  await stack.on("control-plane-1", `systemctl start ${DRILL_SERVICE}`);
  expect(await stack.on("control-plane-1", `cat ${DRILL_RESULT}`)).toMatch(/^ok \S+\nbackup \w{8} can be restored$/);
  expect(await statusOf()).toMatch(/backup {8}\w{8}, .*; drill of \w{8}, 0 minutes ago/);
  const { code, text } = await stack.npmRun("backup:drill");
  expect(code, text).toBe(0);
  expect(text).toContain("has everything that was recorded");
});

test("a wrong password is in the status, and the next run with --refresh corrects it", async () => {
  await stack.on("control-plane-2", `echo another >${ACCESS_FOLDER}/password`);
  expect(await runTimer("control-plane-2")).toMatch(/^failed .*\n.*the password is wrong/);
  expect(await statusOf()).toMatch(/control-plane-2 .*kubewright-backup\.service failed at .*the password is wrong/);
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(await runTimer("control-plane-2")).toMatch(/^ok /);
  expect(await statusOf()).not.toContain(BACKUP_SERVICE);
});

test("a disk that the server has not mounted gets no repository", async () => {
  await server.on(`mv ${FOLDER} ${FOLDER}.away && install -d -o admin ${FOLDER}`);
  expect(await runTimer("control-plane-3")).toMatch(/^failed .*\n.*there is no repository: mount its disk/);
  expect(await server.on(`ls -A ${FOLDER}`)).toBe("");
  await server.on(`rmdir ${FOLDER} && mv ${FOLDER}.away ${FOLDER}`);
  expect(await runTimer("control-plane-3")).toMatch(/^ok /);
});

test("without a schedule, control planes have no secret and no unit", async () => {
  for (const name of CONTROL_PLANES) await stack.on(name, `rm -r /etc/systemd/system/${BACKUP_TIMER}.d`);
  configure({ schedule: undefined, drillSchedule: undefined });
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  await expectNoAccess();
  expect((await stack.npmRun("backup")).code).toBe(0);
});

test("the next run changes nothing", async () => {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(text).toContain("Nothing to change");
});
