import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { obtainRestic } from "../../../artifacts/restic";
import { silent } from "../../../common/progress";
import { Repository } from "../../../provider/backup/repository";
import { ACCESS, S3Server } from "../../support/s3-server";

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "kubewright-s3-"));
const source = join(folder, "source");
let server: S3Server;
let restic: string;

beforeAll(async () => {
  restic = await obtainRestic(silent, signal);
  server = await S3Server.start(folder);
  mkdirSync(source);
  writeFileSync(join(source, "etcd.db"), Buffer.alloc(3_000_000, "the data of etcd"));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function repository(access = ACCESS, password = "the password"): Repository {
  const s3 = { ...access, caFile: server.caFile };
  return new Repository(restic, { repository: `s3:${server.url}/backups`, password, s3 }, "dev", signal);
}

test("backups are stored in S3, listed, read, and deleted when others are newer", async () => {
  const one = repository();
  await one.open();
  const times = ["2026-11-24T10:00:00Z", "2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z"];
  for (const time of times) await one.store(source, { node: "cp-1", time });
  expect((await one.list()).map(({ time }) => time)).toEqual(times.map((time) => time.replace("Z", ".000Z")));
  const { id } = await one.find("latest");
  await one.fetch(id, join(folder, "fetched"));
  expect(readFileSync(join(folder, "fetched", "etcd.db")).equals(readFileSync(join(source, "etcd.db")))).toBe(true);
  await one.clean({ last: 1, hourly: 0, daily: 0, weekly: 0 });
  expect((await one.list()).map((backup) => backup.id)).toEqual([id]);
});

test("a wrong password is named", async () => {
  await expect(repository(ACCESS, "another one").list()).rejects.toThrow("the password is wrong");
});

test("a wrong access key ends within minutes, not after restic's quarter of an hour", async () => {
  const started = Date.now();
  await expect(repository({ ...ACCESS, secretAccessKey: "wrong" }).list()).rejects.toThrow(
    /listing the backups failed.*request signature/,
  );
  expect(Date.now() - started).toBeLessThan(120_000);
});
