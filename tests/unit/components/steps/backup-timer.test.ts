import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { createFromConfig } from "../../../../components/configured-cluster";
import { DRILL_TIMER } from "../../../../render/backup/timer";
import { recordRegistrations, type Registration } from "../../../support/registrations";

const folder = mkdtempSync(join(tmpdir(), "kubewright-backup-"));
const key = join(folder, "key");
writeFileSync(key, "-----BEGIN EC PRIVATE KEY-----\n");
afterAll(() => rmSync(folder, { recursive: true }));

const bySftp = { repository: "sftp:me@nas:/b", password: "p", sftp: { key, hostKey: "ssh-ed25519 AAAA" } };
const inS3 = {
  ...{ repository: "s3:https://s3.example.com/b", password: "p" },
  s3: { accessKeyId: "id", secretAccessKey: "secret" },
};

async function registered(backup: object): Promise<Registration[]> {
  const controlPlane = { count: 3 };
  const environment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };
  const config = parseConfig({ controlPlane, workers: { count: 1 }, backup }, environment);
  return await recordRegistrations(() => {
    createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
  });
}

const find = (all: readonly Registration[], name: string) => all.find((one) => one.name === name);
const packagesOf = (all: readonly Registration[], node: string) => find(all, `${node}-packages`)?.inputs.packages;

test("control planes that back up by SFTP get an SSH client, and other machines do not", async () => {
  const all = await registered({ ...bySftp, schedule: "daily" });
  expect(packagesOf(all, "control-plane-3")).toContain("openssh-client");
  expect(packagesOf(all, "worker-1")).not.toContain("openssh-client");
});

test("control planes without a schedule get none", async () =>
  expect(packagesOf(await registered(bySftp), "control-plane-1")).not.toContain("openssh-client"));

test("drills have a timer of their own, which is removed before that of the backups", async () => {
  const all = await registered({ ...inS3, schedule: "daily", drillSchedule: "Sun 04:00" });
  const timers = all.filter(({ name }) => name.endsWith("-backup-drill"));
  expect(timers.map(({ inputs }) => inputs.unit)).toEqual(Array(3).fill(DRILL_TIMER));
  expect(JSON.stringify(timers[0]?.inputs.files)).toContain("OnCalendar=Sun 04:00");
  expect(timers[1]?.dependsOn).toContain("kubewright:host:Unit control-plane-2-backup");
});

test("the first control plane creates a bucket, before the others open it, and none gets an SSH client", async () => {
  const all = await registered({ ...inS3, schedule: "daily" });
  const accesses = all.filter(({ name }) => name.endsWith("-backup-access"));
  expect(accesses.map(({ inputs }) => inputs.creates)).toEqual([true, false, false]);
  expect(accesses[2]?.dependsOn).toContain("kubewright:kubeadm:BackupAccess control-plane-2-backup-access");
  expect(all.filter(({ name }) => name.endsWith("-backup-drill"))).toEqual([]);
  expect(packagesOf(all, "control-plane-1")).not.toContain("openssh-client");
});
