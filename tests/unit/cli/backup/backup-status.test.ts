import { describe, expect, test } from "vitest";
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

describe("with a schedule", () => {
  const good = controlPlane({ backup: 3, drill: 3 });
  /** A control plane whose timer has recorded this. */
  const withTimer = (result: string) =>
    new ScriptedMachine((script) =>
      script.includes(`${FOLDER}/scheduled`)
        ? { stdout: `${Buffer.from(result).toString("base64")} ${FOLDER}/scheduled` }
        : { stdout: "" },
    );
  const problemsOf = async (result: string) => {
    const remotes = [good, withTimer(result)].map(({ remote }) => remote);
    return (await readBackupStatus({ ...settings, schedule: "daily" }, remotes, { signal, now: NOW })).problems;
  };
  const at = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString();

  test("the failed run of a control plane is a problem, with its reason", async () => {
    expect(await problemsOf(`failed ${at(5)}\nopening s3:x failed:\nno route`)).toEqual([
      expect.stringMatching(
        /: kubewright-backup\.service failed at 2026-11-26T07:00:00\.000Z: opening s3:x failed: no route; /,
      ),
    ]);
  });

  test("a failed run of a drill is a problem while drills have a schedule", async () => {
    const path = `${FOLDER}/scheduled-drill`;
    const text = Buffer.from(`failed ${at(5)}\nbackup 1234 differs`).toString("base64");
    const machine = new ScriptedMachine((script) => ({ stdout: script.includes(path) ? `${text} ${path}` : "" }));
    const problemsWith = async (more: object) =>
      (
        await readBackupStatus({ ...settings, schedule: "daily", ...more }, [good.remote, machine.remote], {
          signal,
          now: NOW,
        })
      ).problems;
    expect(await problemsWith({ drillSchedule: "weekly" })).toEqual([
      expect.stringMatching(/: kubewright-backup-drill\.service failed at .*: backup 1234 differs; /),
    ]);
    expect(await problemsWith({})).toEqual([]);
  });

  test("a run that has not ended is one, once systemd must have ended it", async () => {
    expect(await problemsOf(`running ${at(6)}\n`)).toEqual([expect.stringContaining("the run has not ended")]);
    expect(await problemsOf(`running ${at(1)}\n`)).toEqual([]);
  });

  test("other runs are none, and neither is one of a former schedule", async () => {
    for (const state of ["ok", "postponed"]) expect(await problemsOf(`${state} ${at(5)}\nbackup 1234`)).toEqual([]);
    const remotes = [good, withTimer(`failed ${at(5)}\nx`)].map(({ remote }) => remote);
    expect((await readBackupStatus(settings, remotes, { signal, now: NOW })).problems).toEqual([]);
  });
});

test("what there has never been is a problem", async () => {
  const status = await statusOf(controlPlane({}));
  expect(status.problems).toEqual([
    "there has been no backup: run `npm run backup`",
    "there has been no drill: run `npm run backup:drill`",
  ]);
  expect(backupLine(status, NOW)).toBe("none; no drill");
});
