import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { printable } from "../../../common/printable";
import { projectRoot } from "../../../common/project-root";
import { commandLine } from "../../../common/quote";
import { start } from "../../../common/process";

const COMMAND = [process.execPath, "--require", "tsx/cjs", join(__dirname, "asking.ts")];
/** The script command of util-linux: it runs a command in a pseudo-terminal. */
const SCRIPT = "/usr/bin/script";

describe("the confirmation of a destructive command", () => {
  beforeEach(({ skip }) => skip(!existsSync(SCRIPT), `${SCRIPT} is not installed`));

  test.each([
    ["y\r", 0, "Yes"],
    ["n\r", 1, "No"],
    ["\x03", 130, "stopping"],
  ])("the answer %j ends the command with exit code %i", async (key, code, word) => {
    const { exitCode, text } = await answered(key);
    expect(text).toContain("go on? (y/N)");
    expect(text).toContain(word);
    expect(exitCode).toBe(code);
  });
});

test("without a terminal the command fails instead of asking", async () => {
  const [file = "", ...args] = COMMAND;
  const { child } = await start(file, args, { cwd: projectRoot(), all: true, reject: false, stdin: "ignore" });
  const { exitCode, all } = await child;
  expect(exitCode).toBe(1);
  expect(all).toContain("there is no terminal; read the plan above, then run the command again with --yes");
});

async function answered(key: string): Promise<{ exitCode: number | undefined; text: string }> {
  const { child } = await start(SCRIPT, ["-q", "-e", "-c", commandLine(COMMAND), "/dev/null"], {
    cwd: projectRoot(),
    all: true,
    reject: false,
    stdin: "pipe",
  });
  let text = "";
  let hasAnswered = false;
  child.all?.on("data", (data: Buffer) => {
    text += data.toString();
    if (hasAnswered || !text.includes("(y/N)")) return;
    hasAnswered = true;
    child.stdin?.write(key);
  });
  const { exitCode } = await child;
  return { exitCode, text: printable(text) };
}
