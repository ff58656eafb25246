import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { binariesResource } from "../../../provider/resources/binaries";
import { hostResource } from "../../../provider/resources/host";
import { kernelResource } from "../../../provider/resources/kernel";
import { packagesResource } from "../../../provider/resources/packages";
import { unitResource } from "../../../provider/resources/unit";
import type { Handler } from "../../../provider/rpc/handler";
import { silentContext } from "../../support/context";
import { startSshd, type Sshd } from "../../support/sshd";

/** What a refresh finds on a machine: a real sshd, and fake programs where a test cannot cause the real answer. */
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
let bin: string;
let sshd: Sshd;
const onHost = () => ({ connection: sshd.connection(), instance });

async function standIn(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

async function readBack(
  handler: Handler,
  inputs: Record<string, unknown>,
  outputs: Record<string, unknown> = {},
  context = silentContext,
): Promise<Record<string, unknown>> {
  const read = await handler.read?.(context, "id", { inputs, outputs });
  return read?.inputs ?? {};
}

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), "kubewright-stand-ins-"));
  sshd = await startSshd({ environment: { PATH: `${bin}:${process.env.PATH}` } });
}, 60_000);
afterAll(async () => {
  silentContext.connections.get(sshd.connection()).close();
  await sshd.stop();
  await rm(bin, { recursive: true });
});
beforeEach(() => mkdirSync(join(sshd.folder, "d"), { recursive: true }));

test("reports a binary that is missing, different, or not executable", async () => {
  const [good, other, closed, gone] = ["good", "other", "closed", "gone"].map((name) =>
    join(sshd.folder, "d", name),
  ) as [string, string, string, string];
  for (const path of [good, other, closed]) await writeFile(path, "binary", { mode: 0o755 });
  const files = Object.fromEntries([good, other, closed, gone].map((path) => [path, sha256(good)]));
  await writeFile(other, "manual");
  await chmod(closed, 0o644);
  const inputs = { ...onHost(), files, sources: {} };
  expect((await readBack(binariesResource, inputs)).files).toEqual({
    [good]: sha256(good),
    [other]: sha256(other),
    [closed]: "mode 0644, not 0755",
  });
});

test("reports kernel settings, settings of the next boot, and swap", async () => {
  await standIn("sysctl", 'case $2 in a.b) echo 0;; c.d) echo "x=y  z";; esac');
  await standIn("systemd-detect-virt", "exit 1");
  await standIn("swapon", "echo 536870912");
  const inputs = { ...onHost(), modules: ["overlay"], sysctls: { "a.b": "1", "c.d": "x=y  z" }, swapOff: true };
  const found = await readBack(kernelResource, inputs);
  expect(found.sysctls).toEqual({ "a.b": "0", "c.d": "x=y  z" });
  expect(found.problem).toMatch(/modules-load\.d\/kubewright\.conf (is missing|was changed); /);
  expect(found.problem).toMatch(/99-kubewright\.conf (is missing|was changed); swap is on \(512 MiB\)$/);
  await standIn("systemd-detect-virt", "exit 0"); // a container uses the swap of its host
  expect((await readBack(kernelResource, inputs)).problem).not.toContain("swap");
});

test("reports a package that is not installed any more", async () => {
  await standIn("dpkg-query", 'case "$*" in *socat*) exit 1;; *) echo installed;; esac');
  const found = await readBack(packagesResource, { ...onHost(), packages: ["iproute2", "socat"], osFamily: "debian" });
  expect(found.packages).toEqual(["iproute2"]);
});

test("reports a reboot once", async () => {
  const warnings: string[] = [];
  const context = { ...silentContext, warn: (message: string) => void warnings.push(message) };
  const inputs = { connection: sshd.connection() };
  const outputs = { instance, hostKey: sshd.hostKey, jumpHostKeys: [], facts: {}, boot: "another-boot/1" };
  const read = await hostResource.read?.(context, "id", { inputs, outputs });
  expect(warnings).toEqual([expect.stringMatching(/^sshd .* was rebooted since the last run$/)]);
  await hostResource.read?.(context, "id", { inputs, outputs: read?.outputs ?? {} });
  expect(warnings).toHaveLength(1);
});

/** Fake answers of systemctl, from files of the test. */
async function systemctl(state: { active?: string; unitFile?: string; load?: string; pid?: number }): Promise<void> {
  const { active = "active", unitFile = "enabled", load = "loaded", pid = 0 } = state;
  await standIn(
    "systemctl",
    `case "$*" in
*MainPID*) echo ${pid} ;;
*) printf 'LoadState=${load}\\nActiveState=${active}\\nUnitFileState=${unitFile}\\n' ;;
esac`,
  );
}

test("reports a unit that is stopped, disabled, masked or failed", async () => {
  const inputs = { ...onHost(), unit: "demo.service", files: {}, enabled: true, running: true };
  await systemctl({});
  expect(await readBack(unitResource, inputs)).toEqual(inputs);
  await systemctl({ active: "inactive" });
  expect(await readBack(unitResource, inputs)).toMatchObject({ problem: "not running", running: false });
  await systemctl({ active: "failed", unitFile: "disabled" });
  expect(await readBack(unitResource, inputs)).toMatchObject({ problem: "failed", enabled: false });
  await systemctl({ active: "inactive", unitFile: "masked", load: "masked" });
  expect(await readBack(unitResource, inputs)).toMatchObject({ problem: "masked" });
});

test("reports a unit that runs another program than the configured one, even if the file is correct", async () => {
  const program = join(sshd.folder, "d", "daemon");
  await copyFile("/bin/sleep", program);
  const hash = sha256(program);
  const daemon: ChildProcess = spawn(program, ["600"]);
  try {
    await systemctl({ pid: daemon.pid ?? 0 });
    const inputs = {
      ...onHost(),
      unit: "demo.service",
      files: {},
      enabled: true,
      running: true,
      restartOn: { demo: hash },
    };
    await rm(program);
    expect(await readBack(unitResource, inputs)).toEqual(inputs);
    const others = { ...inputs, restartOn: { demo: "0".repeat(64) } };
    expect(await readBack(unitResource, others)).toMatchObject({
      problem: "running another program than the configured one",
    });
  } finally {
    daemon.kill();
  }
});
