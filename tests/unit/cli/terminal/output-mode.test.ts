import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isQuiet, isVerbose, printError, printReport, setOutputMode } from "../../../../cli/terminal/output-mode";
import { openScreen } from "../../../../cli/terminal/screen";
import { StepError } from "../../../../common/errors";

const written = { stdout: "", stderr: "" };
beforeEach(() => {
  vi.stubEnv("KUBEWRIGHT_DEBUG", "");
  vi.stubEnv("NO_COLOR", undefined);
  for (const name of ["stdout", "stderr"] as const) {
    written[name] = "";
    vi.spyOn(process[name], "write").mockImplementation((text) => ((written[name] += String(text)), true));
  }
});
afterEach(() => {
  setOutputMode(new Set());
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const FAILURE = new StepError({ step: "kubeadm join", machine: "worker-2", cause: "refused", action: "run it again" });

test("an error is a message on stderr", () => {
  setOutputMode(new Set());
  printError(FAILURE);
  expect(written).toEqual({
    stdout: "",
    stderr: "\nkubeadm join failed on worker-2: refused; run it again\n",
  });
});

test("with --json an error is a JSON document on stdout, with its parts", () => {
  setOutputMode(new Set(["json"]));
  printError(FAILURE);
  expect(JSON.parse(written.stdout)).toEqual({
    error: { message: FAILURE.message, ...FAILURE.failure },
  });
  expect(written.stderr).toBe("");
});

test("with --json the report of a failed run is a JSON document", () => {
  setOutputMode(new Set(["json"]));
  printReport("\n2 errors\n");
  expect(JSON.parse(written.stdout)).toEqual({ error: { message: "2 errors" } });
});

test("--quiet prints no progress, --verbose prints stack traces, --no-color is passed on", async () => {
  setOutputMode(new Set(["quiet", "no-color"]));
  expect(isQuiet()).toBe(true);
  expect(process.env.NO_COLOR).toBe("1");
  (await openScreen()).line("a step");
  expect(written.stderr).toBe("");
  setOutputMode(new Set(["verbose"]));
  expect(isVerbose()).toBe(true);
  printError(FAILURE);
  expect(written.stderr).toMatch(/\n {4}at /);
});
