import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ETCDCTL } from "../../../render/etcdctl";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "kubewright-etcdctl-"))));
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** Runs `etcdctl member list` on a machine that has only the programs of the folder, besides those of the system. */
function listMembers() {
  const script = `${ETCDCTL.replaceAll("/usr/local/bin", folder)}\netcdctl member list`;
  const env = { PATH: `${folder}:${process.env.PATH}` };
  return spawnSync("/bin/sh", ["-c", script], { env, encoding: "utf8" });
}

test("an etcd that systemd runs is asked by the etcdctl beside it", () => {
  program("systemctl", 'test "$*" = "is-active -q etcd.service"');
  program("etcdctl", 'echo "called with $*"');
  const { status, stdout } = listMembers();
  expect(status).toBe(0);
  expect(stdout).toMatch(/^called with member list --endpoints=https:\/\/127\.0\.0\.1:2379 --cacert=/);
});

test("without a service and without a container, etcd does not run", () => {
  program("systemctl", "exit 3");
  program("ctr", "exit 1");
  const { status, stderr } = listMembers();
  expect(status).toBe(1);
  expect(stderr).toContain("etcd does not run on this machine");
});
