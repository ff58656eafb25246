import { expect, test } from "vitest";
import { backupLine, readBackupStatus } from "../../../../cli/backup/backup-status";
import type { BackupSettings } from "../../../../components/config";
import { ScriptedMachine } from "../../../support/scripted-machine";

const { signal } = new AbortController();
const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const settings = { maxAge: 48, maxDrillAge: 744 } as BackupSettings;
const FOLDER = "/var/lib/kubewright/backup";

/** A control plane that has recorded a backup and a drill these hours ago. */
function controlPlane(ages: { backup?: number; drill?: number }): ScriptedMachine {
  const lines = Object.entries(ages).map(([kind, hours]) => {
    const stamp = { id: `${kind}-${hours}`, time: new Date(NOW - hours * 3_600_000).toISOString() };
    return `${Buffer.from(JSON.stringify(stamp)).toString("base64")} ${FOLDER}/last-${kind}.json`;
  });
  return new ScriptedMachine(() => ({ stdout: lines.join("\n") }));
}

const statusOf = (...machines: ScriptedMachine[]) =>
  readBackupStatus(
    settings,
    machines.map(({ remote }) => remote),
    { signal, now: NOW },
  );

test("the newest records of all control planes count", async () => {
  const silent = new ScriptedMachine(() => new Error("no answer"));
  const status = await statusOf(
    controlPlane({ backup: 60, drill: 1 }),
    silent,
    controlPlane({ backup: 3, drill: 100 }),
  );
  expect(status).toMatchObject({ backup: { id: "backup-3" }, drill: { id: "drill-1" }, problems: [] });
  expect(backupLine(status, NOW)).toBe("backup-3, 3 hours ago; drill of drill-1, 1 hour ago");
});

test("what is too old is a problem, with the command that repairs it", async () => {
  expect((await statusOf(controlPlane({ backup: 49, drill: 800 }))).problems).toEqual([
    "the last backup is 2 days old, more than 48 hours: run `npm run backup`",
    "the last drill is 33 days old, more than 744 hours: run `npm run backup:drill`",
  ]);
});

test("what there has never been is a problem", async () => {
  const status = await statusOf(controlPlane({}));
  expect(status.problems).toEqual([
    "there has been no backup: run `npm run backup`",
    "there has been no drill: run `npm run backup:drill`",
  ]);
  expect(backupLine(status, NOW)).toBe("none; no drill");
});
