import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CommandEnded, withSession } from "../../../../cli/engine/session";

let errors: string;
beforeEach(() => {
  errors = "";
  vi.stubEnv("KUBEWRIGHT_DEBUG", "");
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("returns the exit code of the command, and prints its progress", async () => {
  const work = async ({ progress }: { progress: (line: string) => void }) => (progress("working"), 2);
  expect(await withSession("dev", work)).toBe(2);
  expect(errors).toBe("working\n");
});

test("reports an error once, with the exit code of a failure", async () => {
  const fails = () => Promise.reject(new Error("no space"));
  expect(await withSession("dev", fails)).toBe(1);
  expect(await withSession("dev", fails, 3)).toBe(3);
  expect(errors).toBe("\nno space\n\nno space\n");
});

test("an error that was reported already is not printed again", async () => {
  expect(await withSession("dev", () => Promise.reject(new CommandEnded(130)))).toBe(130);
  expect(errors).toBe("");
});

test("an interrupted command ends with exit code 130, whatever its error", async () => {
  const interrupted = async ({ signal }: { signal: AbortSignal }) => {
    process.emit("SIGINT");
    signal.throwIfAborted();
    return 0;
  };
  expect(await withSession("dev", interrupted)).toBe(130);
  expect(errors).toMatch(/^stopping after the current steps/);
});

test("with KUBEWRIGHT_DEBUG the stack trace is printed", async () => {
  vi.stubEnv("KUBEWRIGHT_DEBUG", "1");
  await withSession("dev", () => Promise.reject(new Error("no space")));
  expect(errors).toContain("session.test.ts");
});

test("a command that changes nothing ends without a hint to continue", async () => {
  const interrupted = async ({ signal }: { signal: AbortSignal }) => {
    process.emit("SIGINT");
    signal.throwIfAborted();
    return 0;
  };
  expect(await withSession("dev", interrupted, 1, { isReadOnly: true })).toBe(130);
  expect(errors).toBe("");
});

test("a command that `npm start` does not continue says what follows an interruption", async () => {
  const interrupted = async () => (process.emit("SIGINT"), 0);
  await withSession("dev", interrupted, 1, { afterInterrupt: "the previous state is put back" });
  expect(errors).toContain("press Ctrl-C again to stop immediately); the previous state is put back\n");
  await withSession("dev", interrupted);
  expect(errors).toContain("`npm start` continues from there\n");
});
