import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LOG_SOURCES, logScript, parseDuration } from "../../../../cli/nodes/log-script";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-logs-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs the script with `root` as the root of the file system, and a journalctl that prints its arguments. */
function run(script: string): string[] {
  const journalctl = `journalctl() { echo "journal: $*"; }\n`;
  const moved = script.replaceAll("/etc/", `${root}/etc/`).replaceAll("/var/", `${root}/var/`);
  return execFileSync("sh", ["-c", journalctl + moved], { encoding: "utf8" })
    .trim()
    .split("\n");
}

function writePodLog(pod: string, ...lines: string[]): void {
  const folder = join(root, "var/log/pods", `kube-system_${pod}-control-plane-1_1234`, pod);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, "etc/kubernetes/manifests"), { recursive: true });
  writeFileSync(join(root, "etc/kubernetes/manifests", `${pod}.yaml`), "");
  writeFileSync(join(folder, "0.log"), lines.map((line) => `${line}\n`).join(""));
}

const REQUEST = { sources: LOG_SOURCES, since: 600, follow: false };

test("reads the journal of the units, from the given time", () => {
  const script = logScript("worker-1", { ...REQUEST, sources: ["kubelet", "containerd"] });
  expect(run(script)).toEqual(["journal: --no-pager --quiet -o short-iso -u kubelet -u containerd --since=-600s"]);
});

test("prints the lines of static pods since the given time, with their node and pod", () => {
  const recent = new Date(Date.now() + 86_400_000).toISOString();
  writePodLog("etcd", "2020-01-01T00:00:00.1Z stderr F old", `${recent} stderr F elected a "leader" $1`);
  const script = logScript("control-plane-1", { ...REQUEST, sources: ["static-pods"] });
  expect(run(script)).toEqual([`${recent.slice(0, 19)} control-plane-1 etcd: elected a "leader" $1`]);
});

test("a node without static pods has no such lines", () => {
  expect(run(logScript("worker-1", { ...REQUEST, sources: ["static-pods"] }))).toEqual([""]);
});

test("following reads all sources in parallel", () => {
  const script = logScript("control-plane-1", { ...REQUEST, follow: true });
  expect(script).toMatch(/journalctl .*-u kubelet -u containerd -u docker .*--follow &\n/);
  expect(script).toMatch(/tail -q -n \+1 -F/);
  execFileSync("sh", ["-n", "-c", script]);
});

test.each([
  ["30s", 30],
  ["10m", 600],
  ["2h", 7200],
  ["1d", 86_400],
  ["0m", undefined],
  ["10", undefined],
  ["m", undefined],
  ["1h; reboot", undefined],
])("the duration %s is %s seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});
