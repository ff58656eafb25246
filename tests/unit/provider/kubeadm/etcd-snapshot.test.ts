import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deleteAbandonedSnapshots, saveSnapshot } from "../../../../provider/kubeadm/etcd-snapshot";
import { SNAPSHOTS } from "../../../../render/backup/save-snapshot";
import type { Remote } from "../../../../provider/ssh/remote";

const { signal } = new AbortController();
let root: string;
let machine: Remote;

/** Writes a snapshot of its own as etcdctl does: slowly, beside its path first, with its checksum at the end. */
const SAVE = `#!/bin/sh
echo "snapshot of $$" > "$3.part"
sleep 0.4
openssl dgst -sha256 -binary "$3.part" > "$3.sum" && cat "$3.sum" >> "$3.part"
rm "$3.sum" && mv "$3.part" "$3"
`;

/** A machine whose folders are below a folder of the test, with the shell of this computer. */
function localMachine(): Remote {
  const env = { ...process.env, PATH: `${root}/bin:${process.env.PATH}` };
  const run = async (script: string) => {
    const local = script.replaceAll("/var/", `${root}/var/`).replaceAll("/usr/local/bin/", `${root}/bin/`);
    return await promisify(execFile)("sh", ["-c", `set -e\n${local}`], { env });
  };
  return { label: "cp-1", run } as unknown as Remote;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-snapshot-"));
  for (const folder of ["bin", "var/lib/etcd"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "bin/etcdctl"), SAVE, { mode: 0o755 });
  writeFileSync(join(root, "bin/systemctl"), "#!/bin/sh\n", { mode: 0o755 });
  machine = localMachine();
});
afterEach(() => rmSync(root, { recursive: true }));

const saved = () =>
  readdirSync(join(root, SNAPSHOTS))
    .filter((name) => name.endsWith(".db"))
    .sort();
const contentOf = (name: string) =>
  readFileSync(join(root, SNAPSHOTS, name))
    .subarray(0, -32)
    .toString();

test("two commands on different computers do not disturb each other on one control plane", async () => {
  const paths = await Promise.all(["backup-a", "before-1.36.2"].map((name) => saveSnapshot(machine, name, signal)));
  expect(paths).toEqual([`${SNAPSHOTS}/backup-a.db`, `${SNAPSHOTS}/before-1.36.2.db`]);
  expect(saved()).toEqual(["backup-a.db", "before-1.36.2.db"]);
  expect(contentOf("backup-a.db")).toMatch(/^snapshot of \d+\n$/);
  expect(contentOf("backup-a.db")).not.toBe(contentOf("before-1.36.2.db"));
  expect(readdirSync(join(root, "var/lib/etcd"))).toEqual([]);
});

test("a damaged snapshot is refused, and none is left under its name", async () => {
  writeFileSync(
    join(root, "bin/etcdctl"),
    '#!/bin/sh\necho "no checksum at the end, but long enough for one" > "$3"\n',
  );
  await expect(saveSnapshot(machine, "backup-a", signal)).rejects.toThrow("the snapshot is damaged");
  expect(saved()).toEqual([]);
});

test("snapshots of backups that were killed are deleted, those of others and of running ones stay", async () => {
  await deleteAbandonedSnapshots(machine, "backup", signal); // before the first snapshot, there is no folder
  mkdirSync(join(root, SNAPSHOTS), { recursive: true });
  for (const name of ["backup.db", "backup-old.db", "before-1.36.2.db"]) {
    writeFileSync(join(root, SNAPSHOTS, name), "");
    utimesSync(join(root, SNAPSHOTS, name), 0, 0);
  }
  writeFileSync(join(root, SNAPSHOTS, "backup-new.db"), "");
  await deleteAbandonedSnapshots(machine, "backup", signal);
  expect(saved()).toEqual(["backup-new.db", "before-1.36.2.db"]);
});
