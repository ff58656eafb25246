import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lastLines, output, readOutput, runCommand, streamOutput, tryCommand } from "../../../common/process";
import { until } from "../../../common/wait";

const never = new AbortController().signal;
const options = { step: "try", signal: never };
const shell = (script: string, more: object = {}) => tryCommand("sh", ["-c", script], { ...options, ...more });

describe("runCommand", () => {
  test("returns stdout", async () => {
    expect(await runCommand("sh", ["-c", "echo out; echo err >&2"], options)).toBe("out");
  });

  test("fails with the last lines of stderr, and with the next action", async () => {
    const failed = runCommand("sh", ["-c", "echo one >&2; echo two >&2; exit 3"], { ...options, action: "try again" });
    await expect(failed).rejects.toThrow("try failed: one | two; try again");
  });

  test("fails with stdout when stderr is empty, and with the exit code when the command prints nothing", async () => {
    await expect(runCommand("sh", ["-c", "exit 3"], options)).rejects.toThrow(/try failed: .*exit code 3/);
  });

  test("names a program that is not installed", async () => {
    const missing = runCommand("no-such-program", [], options);
    await expect(missing).rejects.toThrow("try failed: no-such-program is not installed, or not on PATH");
  });
});

describe("tryCommand", () => {
  test("returns the outcome of a failed command", async () => {
    expect(await shell("echo out; echo err >&2; exit 3")).toEqual({ code: 3, stdout: "out", stderr: "err" });
  });

  test("passes input, environment and folder", async () => {
    const outcome = await shell('cat; echo "$NAME $LC_ALL $PWD"', { input: "text ", env: { NAME: "value" }, cwd: "/" });
    expect(outcome.stdout).toBe("text value C.UTF-8 /");
  });

  test("reports lines while the command runs", async () => {
    const lines: string[] = [];
    await shell("echo one >&2; echo two >&2; echo out", { onLine: (line: string) => lines.push(line) });
    expect(lines).toEqual(["one", "two"]);
  });

  test("ends a command that exceeds its time limit, with the limit as the reason", async () => {
    const outcome = await tryCommand("sleep", ["60"], { ...options, timeout: 0.05 });
    expect(outcome).toMatchObject({ code: 1, stderr: "sleep did not finish within 0.05 s" });
  });

  test("does not start a command after an abort", async () => {
    const aborted = tryCommand("sh", ["-c", "exit 0"], {
      step: "try",
      signal: AbortSignal.abort(new Error("stopped")),
    });
    await expect(aborted).rejects.toThrow("stopped");
  });

  test.each(["SIGTERM", "SIGINT"] as const)("sends %s to the whole process group on abort", async (stopGroupWith) => {
    const folder = await mkdtemp(join(tmpdir(), "process-test-"));
    const pidFile = join(folder, "pid");
    const controller = new AbortController();
    // A shell's background jobs ignore SIGINT, so the child is started by exec in a pipeline instead.
    const script = `sh -c 'echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 600' | cat`;
    const running = tryCommand("sh", ["-c", script], { step: "try", signal: controller.signal, stopGroupWith });
    running.catch(() => undefined);
    const wait = { signal: never, timeout: 10, every: 20, onTimeout: () => new Error("timed out") };
    const pid = await until(async () => Number(await readFile(pidFile, "utf8").catch(() => "")) || undefined, wait);
    expect(isAlive(pid)).toBe(true);
    controller.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    await until(async () => (isAlive(pid) ? undefined : true), wait);
    await rm(folder, { recursive: true });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("readOutput returns trimmed stdout, or undefined for a failed or missing program", async () => {
  expect(await readOutput("sh", ["-c", "echo ' text '"])).toBe("text");
  expect(await readOutput("sh", ["-c", "echo text; exit 1"])).toBeUndefined();
  expect(await readOutput("no-such-program", [])).toBeUndefined();
});

test("streamOutput fails when the program fails", async () => {
  const read = async (script: string) => {
    const chunks: Buffer[] = [];
    for await (const chunk of await streamOutput("sh", ["-c", script])) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  expect(await read("printf text")).toBe("text");
  await expect(read("printf text; exit 2")).rejects.toThrow(/exit code 2/);
});

test("output returns stdout and rejects a failed program", async () => {
  expect(await output("sh", ["-c", "echo text"])).toBe("text");
  await expect(output("sh", ["-c", "exit 2"])).rejects.toThrow(/exit code 2/);
});

test("lastLines keeps the last lines that are not empty, without Docker's hint at its help", () => {
  expect(lastLines("a\nb\n\nc\nd\nSee 'docker run --help'.\n")).toBe("b | c | d");
});
