import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { findFolder, searchPath } from "../../../artifacts/controller-tools";
import { obtainRestic } from "../../../artifacts/restic";
import { messageOf } from "../../../common/errors";
import { silent } from "../../../common/progress";
import { readFacts, writeFacts } from "../../../provider/backup/facts";
import { ALREADY_EXISTS, ResticCode } from "../../../provider/backup/restic-outcome";
import { Repository } from "../../../provider/backup/repository";
import { ACCESS_FOLDER } from "../../../render/backup/access";
import { resticScript } from "../../../render/backup/machine-restic";
import { BackupMachine, NODE, PASSWORD, POLICY } from "../../support/backup-machine";

const PASSWORD_FILE = `${ACCESS_FOLDER}/password`;
const { signal } = new AbortController();
let missing: string | undefined;
let folder: string;
let machine: BackupMachine;
let repository: Repository;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-timer-"));
  const restic = await obtainRestic(silent, signal).catch((error: unknown) => ((missing = messageOf(error)), ""));
  for (const program of ["kubectl", "systemd-analyze"])
    if ((await find(program)) === undefined) missing ??= `there is no ${program} on PATH`;
  if (missing !== undefined) return;
  machine = new BackupMachine({ real: { restic, kubectl: (await find("kubectl")) ?? "" } });
  repository = new Repository(restic, { repository: machine.repository, password: PASSWORD }, "dev", signal);
}, 300_000);
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(() => {
  machine?.remove();
  rmSync(folder, { recursive: true });
});

async function find(program: string): Promise<string | undefined> {
  const path = await findFolder(searchPath(process.env.PATH ?? ""), program);
  return path && join(path, program);
}

test("a machine tells a missing repository from a wrong password, and creates it only with `init`", async () => {
  const call = (command: string) =>
    machine.runScript(resticScript({ repository: machine.repository, options: [] }, command, 90));
  expect(machine.run().result).toContain("there is no repository: mount its disk");
  expect(call("cat config --no-lock").code).toBe(ResticCode.missing);
  expect(existsSync(machine.repository)).toBe(false);
  expect(call("init")).toEqual({ code: 0, output: "" });
  expect(call("cat config --no-lock")).toEqual({ code: 0, output: "" });
  expect(call("init").output).toMatch(ALREADY_EXISTS);
  machine.write(PASSWORD_FILE, "another\n");
  expect(call("cat config --no-lock").code).toBe(ResticCode.wrongPassword);
  machine.write(PASSWORD_FILE, `${PASSWORD}\n`);
}, 120_000);

test("a scheduled backup is listed and read as one of `kubewright backup`", async () => {
  const { code, output } = machine.run();
  expect(code, output).toBe(0);
  const [backup, ...others] = await repository.list();
  expect(backup).toMatchObject({ node: NODE, time: "2026-11-27T12:00:00.000Z" });
  expect(others).toEqual([]);
  await repository.fetch("latest", folder);
  expect(await readFacts(folder)).toMatchObject({ stack: "dev", node: NODE, content: { revision: 585 } });
  expect(readFileSync(join(folder, "machine", POLICY), "utf8")).toBe("the policy");
}, 120_000);

test("the timer of drills restores it, and a backup of `kubewright backup` too", async () => {
  expect(machine.drill().result).toMatch(/^ok \S+\nbackup [0-9a-f]{8} can be restored\n$/);
  const facts = await readFacts(folder);
  await writeFacts(folder, { ...facts, content: { ...facts.content, revision: 1 } });
  await repository.store(folder, { node: "cp-2", time: "2026-11-27T12:30:00.000Z" });
  expect(machine.drill().result).toContain("differs: recorded revision 1; restored revision 585");
  await writeFacts(folder, facts);
  await repository.store(folder, { node: "cp-2", time: "2026-11-27T12:40:00.000Z" });
  expect(machine.drill().result).toMatch(/^ok /);
}, 120_000);

test("a backup of `kubewright backup` after the schedule's last date is enough", async () => {
  machine.setTime("2026-11-28T12:00:00Z");
  await repository.store(folder, { node: "cp-2", time: "2026-11-28T11:00:00.000Z" });
  expect(machine.run().result).toContain("is newer than the last date of the schedule");
  machine.setTime("2026-11-29T12:00:00Z");
  expect(machine.run().result).toMatch(/^ok \S+\nbackup [0-9a-f]{8}\n$/);
  expect(await repository.list()).toHaveLength(4); // `backup.keep` does not keep one of the first day
}, 120_000);

test("a wrong password is named, and stores nothing", async () => {
  machine.setTime("2026-11-30T12:00:00Z");
  machine.write(PASSWORD_FILE, "another\n");
  expect(machine.run().result).toContain("the password is wrong");
  expect(await repository.list()).toHaveLength(4);
}, 120_000);
