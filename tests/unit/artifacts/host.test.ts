import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { searchPath } from "../../../artifacts/engine";
import { ensureHost, type Host, type Need } from "../../../artifacts/host-packages";
import { runGroup } from "../../../artifacts/process";
import { silent } from "../../../common/progress";
import { until } from "../../../common/wait";

const never = new AbortController().signal;

function need(name: string, installed: Set<string>): Need {
  return { what: `the ${name}`, debian: name, present: async () => installed.has(name) };
}

function host(may: boolean, installed: Set<string>, works = true): Host {
  return {
    canInstall: async () => may,
    install: async (packages) => {
      if (works) for (const name of packages) installed.add(name);
    },
  };
}

test("only what is missing is installed", async () => {
  const installed = new Set(["gcc"]);
  const said: string[] = [];
  await ensureHost(
    [need("gcc", installed), need("zstd", installed)],
    (line) => said.push(line),
    never,
    host(true, installed),
  );
  expect(said).toEqual(["installing zstd on this machine"]);
});

test("where nothing can be installed, the person is told what to install", async () => {
  const missing = ensureHost([need("gcc", new Set()), need("zstd", new Set())], silent, never, host(false, new Set()));
  await expect(missing).rejects.toThrow(/the gcc, the zstd.*install gcc zstd/);
});

test("an installation that did not help is noticed", async () => {
  await expect(ensureHost([need("gcc", new Set())], silent, never, host(true, new Set(), false))).rejects.toThrow(
    /still not here/,
  );
});

test("npm's own launcher on PATH is not taken for Pulumi", () => {
  expect(searchPath("/usr/bin:/x/node_modules/.bin::/y/node_modules/.bin/:/bin")).toEqual(["/usr/bin", "/bin"]);
});

test("a failed program's last words are in the error", async () => {
  const failed = runGroup({
    program: "sh",
    words: ["-c", "echo first; echo last >&2; exit 3"],
    step: "try",
    signal: never,
  });
  await expect(failed).rejects.toThrow(/try failed: first\s+last/);
});

test("a program that is not there is named", async () => {
  await expect(runGroup({ program: "no-such-program", words: [], step: "try", signal: never })).rejects.toThrow(
    /no-such-program/,
  );
});

test("an abort ends the program's children, too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "group-test-"));
  const pidFile = join(folder, "pid");
  const controller = new AbortController();
  const running = runGroup({
    program: "sh",
    words: ["-c", `sleep 600 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`],
    step: "try",
    signal: controller.signal,
  });
  running.catch(() => undefined);
  const wait = { signal: never, timeout: 10, every: 20, onTimeout: () => new Error("time is up") };
  const pid = await until(async () => Number(await readFile(pidFile, "utf8").catch(() => "")) || undefined, wait);
  expect(isAlive(pid)).toBe(true);
  controller.abort(new Error("stopped"));
  await expect(running).rejects.toThrow("stopped");
  await until(async () => (isAlive(pid) ? undefined : true), wait);
  await rm(folder, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
