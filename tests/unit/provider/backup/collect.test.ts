import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "tar-stream";
import type { ServerChannel } from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectFiles, configuredPaths, isComplete } from "../../../../provider/backup/collect";
import { answer, InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const MANIFEST = `spec:
  containers:
  - name: kube-apiserver
    volumeMounts:
    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}
    - {mountPath: /etc/kubernetes/encryption, name: encryption, readOnly: true}
    - {mountPath: /var/log/kubernetes, name: audit-log}
  volumes:
  - {hostPath: {path: /etc/kubernetes/pki}, name: k8s-certs}
  - {hostPath: {path: /etc/kubernetes/encryption}, name: encryption}
  - {hostPath: {path: /var/log/kubernetes}, name: audit-log}
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-collect-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function snapshotOf(content: Buffer): Buffer {
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
}

test("the files that the API server reads besides kubeadm's own belong to a backup, its logs do not", () => {
  expect(configuredPaths(MANIFEST)).toEqual(["/etc/kubernetes/encryption"]);
  expect(configuredPaths("no: pod")).toEqual([]);
});

test("a snapshot is complete if the checksum at its end matches", async () => {
  const file = join(folder, "etcd.db");
  const whole = snapshotOf(randomBytes(100_000));
  writeFileSync(file, whole);
  expect(await isComplete(file)).toBe(true);
  writeFileSync(file, whole.subarray(0, 99_000));
  expect(await isComplete(file)).toBe(false);
  writeFileSync(file, "");
  expect(await isComplete(file)).toBe(false);
  expect(await isComplete(join(folder, "missing"))).toBe(false);
});

/** Answers a `tar` with an archive of these files, and reads with the API server's manifest. */
function machineWith(files: Record<string, Buffer>): InMemorySsh {
  const send = (channel: ServerChannel) => {
    const archive = pack();
    for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
    archive.finalize();
    channel.stderr.write("process-group 4711\n");
    archive.on("data", (data) => channel.write(data as Buffer));
    archive.on("end", () => {
      channel.exit(0);
      channel.end();
    });
  };
  return new InMemorySsh({
    run: (channel, command) => (command.includes("tar -C") ? send(channel) : answer(channel, "")),
  });
}

async function collect(server: InMemorySsh): Promise<void> {
  const pool = server.pool();
  try {
    await collectFiles(pool.get(server.connection()), "/var/lib/snapshots/backup.db", folder, signal);
  } finally {
    pool.closeAll();
  }
}

test("the snapshot and the keys arrive below the folder, and only this user can read them", async () => {
  const db = snapshotOf(randomBytes(200_000));
  await collect(
    machineWith({
      "var/lib/snapshots/backup.db": db,
      "etc/kubernetes/pki/ca.key": Buffer.from("key"),
      "../../escape": Buffer.from("x"),
    }),
  );
  expect(readFileSync(join(folder, "etcd.db")).equals(db)).toBe(true);
  expect(readFileSync(join(folder, "machine/etc/kubernetes/pki/ca.key"), "utf8")).toBe("key");
  expect(statSync(join(folder, "machine/etc/kubernetes/pki/ca.key")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "machine")).sort()).toEqual(["escape", "etc"]);
});

test("a snapshot that arrives incomplete is an error", async () => {
  const db = snapshotOf(randomBytes(1_000)).subarray(0, 900);
  await expect(collect(machineWith({ "var/lib/snapshots/backup.db": db }))).rejects.toThrow(
    "copying the snapshot and the keys failed on worker-1 (10.0.0.11): the snapshot arrived damaged",
  );
});
