import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";
import { commandLine } from "../../../common/quote";
import { start } from "../../../common/process";

const COMMAND = [process.execPath, "--require", "tsx/cjs", join(__dirname, "asking.ts")];
/** util-linux's; it gives the command a terminal. */
const SCRIPT = "/usr/bin/script";

describe("the question before something is taken away", () => {
  beforeEach(({ skip }) => skip(!existsSync(SCRIPT), `${SCRIPT} is not installed`));

  test.each([
    ["y", 0, "yes"],
    ["n", 1, "no"],
    ["\x03", 130, "stopping"],
  ])("a terminal that answers %j ends it with %i", async (key, code, word) => {
    const { exitCode, text } = await answered(key);
    expect(text).toContain("go on? [y/N]");
    expect(text).toContain(word);
    expect(exitCode).toBe(code);
  });
});

test("without a terminal nothing is asked", async () => {
  const [file = "", ...args] = COMMAND;
  const { child } = await start(file, args, { cwd: projectRoot(), all: true, reject: false, stdin: "ignore" });
  const { exitCode, all } = await child;
  expect(exitCode).toBe(1);
  expect(all).toContain("there is no terminal; read the plan above, and run it again with --yes");
});

async function answered(key: string): Promise<{ exitCode: number | undefined; text: string }> {
  const { child } = await start(SCRIPT, ["-q", "-e", "-c", commandLine(COMMAND), "/dev/null"], {
    cwd: projectRoot(),
    all: true,
    reject: false,
    stdin: "pipe",
  });
  let text = "";
  let told = false;
  child.all?.on("data", (data: Buffer) => {
    text += data.toString();
    if (told || !text.includes("[y/N]")) return;
    told = true;
    child.stdin?.write(key);
  });
  const { exitCode } = await child;
  return { exitCode, text };
}
