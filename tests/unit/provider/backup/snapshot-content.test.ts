import { expect, test } from "vitest";
import {
  compareWithSnapshot,
  parseChanges,
  parseContent,
  readLiveHash,
  readSnapshot,
} from "../../../../provider/backup/snapshot-content";
import { ScriptedMachine } from "../../../support/scripted-machine";

const { signal } = new AbortController();
const HASH =
  '[{"Endpoint":"unix:///x","HashKV":{"header":{"cluster_id":1,"revision":9,"raft_term":2},"hash":2132637669,' +
  '"compact_revision":3,"hash_revision":5}}]';

test("the content of a snapshot is its revision, its hash and its keys by kind", () => {
  expect(parseContent(`${HASH}\n--- keys ---\n2 secrets\n10 apps.example.com/widgets\n`)).toEqual({
    revision: 5,
    hash: 2132637669,
    compactRevision: 3,
    keys: { "apps.example.com/widgets": 10, secrets: 2 },
  });
});

test("an output that is no hash is reported, and is not an empty snapshot", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: "Error: connection refused\n--- keys ---\n" }));
  await expect(readSnapshot(machine.remote, "/x.db", signal)).rejects.toThrow(
    "restoring the snapshot into a scratch etcd failed on m (10.0.0.1): etcdctl printed Error: connection refused",
  );
});

test("a revision that is compacted has no hash", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: "" }));
  expect(await readLiveHash(machine.remote, 5, signal)).toBeUndefined();
  expect(machine.scripts[0]).toContain("--rev=5");
});

test("changed keys are sorted, and other lines are ignored", () => {
  const output = "deleted /registry/secrets/a\ncreated /registry/pods/b\nchanged /registry/configmaps/c\nwarning x\n";
  expect(parseChanges(output).map(({ change, key }) => `${change} ${key}`)).toEqual([
    "changed /registry/configmaps/c",
    "created /registry/pods/b",
    "deleted /registry/secrets/a",
  ]);
});

test("the scratch etcd listens on sockets that only root can open, and is always removed", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: HASH }));
  await readSnapshot(machine.remote, "/x.db", signal);
  await compareWithSnapshot(machine.remote, "/x.db", signal);
  for (const script of machine.scripts) {
    expect(script).toContain('--listen-client-urls "unix://$folder/client"');
    expect(script).toContain('--listen-peer-urls "unix://$folder/peer"');
    expect(script).not.toMatch(/--listen-\S+ http/);
    expect(script).toContain("umask 077");
    expect(script).toContain("trap clean_up EXIT");
  }
});
