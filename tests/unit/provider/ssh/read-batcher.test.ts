import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { splitResults, batchScript, type ScriptResult } from "../../../../provider/ssh/batch-script";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { ReadBatcher, type ReadContext } from "../../../../provider/ssh/read-batcher";
import { connectionTo } from "../../../support/connection";

const MARK = "c0ffee";

function inShell(script: string): ScriptResult {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { input: "not for them", encoding: "utf8" });
  return { code: status ?? -1, stdout, stderr };
}

test.each([
  ["words and nothing at all", ["echo one", "true", "printf two"], ["one\n", "", "two"]],
  [
    "lines, quotes, and an end of its own",
    ["printf 'a\\n\\nb\\n\\n'", 'echo "it\'s"; exit 3; echo never', "printf '\\n'"],
    ["a\n\nb\n\n", "it's\n", "\n"],
  ],
  ["no input", ["cat", "echo after"], ["", "after\n"]],
  ["what looks like a mark", ["printf '\\nc0ffe 1\\n'", "echo x c0ffee 1"], ["\nc0ffe 1\n", "x c0ffee 1\n"]],
])("a batch tells each script its own: %s", (_, scripts, expected) => {
  const said = inShell(batchScript(scripts, MARK));
  expect(splitResults(said, scripts.length, MARK)?.map(({ stdout }) => stdout)).toEqual(expected);
});

test("codes and complaints are each script's own too", () => {
  const answers = splitResults(inShell(batchScript(["echo no >&2; exit 7", "true", "kill -9 $$"], MARK)), 3, MARK);
  expect(answers?.map(({ code, stderr }) => [code, stderr.includes("no")])).toEqual([
    [7, true],
    [0, false],
    [137, false],
  ]);
});

test("a batch that was cut off is no answer", () => {
  expect(splitResults({ stdout: `one\n${MARK} 0\ntw`, stderr: `\n${MARK}\n` }, 2, MARK)).toBeUndefined();
});

/** Runs on this machine, and keeps what it was asked. */
function looks(refuse: (script: string) => Error | undefined = () => undefined) {
  const ran: string[] = [];
  const made = new ReadBatcher(async (script) => {
    ran.push(script);
    const error = refuse(script);
    if (error) throw error;
    return inShell(script);
  });
  return {
    ran,
    ask: (script: string, signal = new AbortController().signal) =>
      made.read(script, { step: script, signal } satisfies ReadContext),
  };
}

test("what is asked at once is one command, and what comes later another", async () => {
  const { ran, ask } = looks();
  const words = Array.from({ length: 20 }, (_, index) => `word-${index}`);
  expect((await Promise.all(words.map((word) => ask(`echo ${word}`)))).map(({ stdout }) => stdout.trim())).toEqual(
    words,
  );
  expect(ran).toHaveLength(1);
  expect((await ask("echo alone")).stdout).toBe("alone\n");
  expect(ran[1]).toBe("echo alone");
});

test("long scripts are divided before they are more than a command may be", async () => {
  const { ran, ask } = looks();
  const long = `: ${"x".repeat(20_000)}; echo`;
  expect(
    (await Promise.all([1, 2, 3, 4, 5].map((number) => ask(`${long} ${number}`)))).map(({ stdout }) => stdout),
  ).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n"]);
  expect(ran).toHaveLength(3);
});

test("where one of them cannot be run, each is told its own", async () => {
  const { ran, ask } = looks((script) =>
    script.includes("bad") ? new StepError({ step: "looking", cause: "it says more than 16 MiB" }) : undefined,
  );
  const [good, bad] = await Promise.allSettled([ask("echo good"), ask("echo bad")]);
  expect(good).toMatchObject({ status: "fulfilled", value: { stdout: "good\n" } });
  expect(bad).toMatchObject({ status: "rejected", reason: { failure: { cause: "it says more than 16 MiB" } } });
  expect(ran).toHaveLength(3);
});

test("a machine that is lost is tried once, and all are told", async () => {
  const { ran, ask } = looks(
    () => new ConnectionError(connectionTo({ host: "10.0.0.9" }), "the connection was lost", true),
  );
  const answers = await Promise.allSettled([ask("echo a"), ask("echo b")]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(ran).toHaveLength(1);
});

test("who gives up is let go, and the others get their answers", async () => {
  const { ask } = looks();
  const stop = new AbortController();
  const [one, other] = [ask("echo a", stop.signal), ask("echo b")];
  stop.abort(new Error("cancelled"));
  await expect(one).rejects.toThrow("cancelled");
  expect((await other).stdout).toBe("b\n");
});
