import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { connectionTo } from "../../../support/connection";
import { StepError } from "../../../../common/errors";
import { splitResults, batchScript, type ScriptResult } from "../../../../provider/ssh/batch-script";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { ReadBatcher, type ReadContext } from "../../../../provider/ssh/read-batcher";

const MARK = "c0ffee";

function inShell(script: string): ScriptResult {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { input: "not for them", encoding: "utf8" });
  return { code: status ?? -1, stdout, stderr };
}

test.each([
  ["text and no output", ["echo one", "true", "printf two"], ["one\n", "", "two"]],
  [
    "lines, quotes and an exit",
    ["printf 'a\\n\\nb\\n\\n'", 'echo "it\'s"; exit 3; echo never', "printf '\\n'"],
    ["a\n\nb\n\n", "it's\n", "\n"],
  ],
  ["no input", ["cat", "echo after"], ["", "after\n"]],
  ["output that looks like a mark", ["printf '\\nc0ffe 1\\n'", "echo x c0ffee 1"], ["\nc0ffe 1\n", "x c0ffee 1\n"]],
])("a batch returns the output of each script: %s", (_, scripts, expected) => {
  const said = inShell(batchScript(scripts, MARK));
  expect(splitResults(said, scripts.length, MARK)?.map(({ stdout }) => stdout)).toEqual(expected);
});

test("a batch returns the exit code and stderr of each script", () => {
  const answers = splitResults(inShell(batchScript(["echo no >&2; exit 7", "true", "kill -9 $$"], MARK)), 3, MARK);
  expect(answers?.map(({ code, stderr }) => [code, stderr.includes("no")])).toEqual([
    [7, true],
    [0, false],
    [137, false],
  ]);
});

test("a batch that was cut off has no results", () => {
  expect(splitResults({ stdout: `one\n${MARK} 0\ntw`, stderr: `\n${MARK}\n` }, 2, MARK)).toBeUndefined();
});

/** A batcher that runs scripts on this machine and records them. */
function batcher(refuse: (script: string) => Error | undefined = () => undefined) {
  const ran: string[] = [];
  const reads = new ReadBatcher(async (script) => {
    ran.push(script);
    const error = refuse(script);
    if (error) throw error;
    return inShell(script);
  });
  return {
    ran,
    ask: (script: string, signal = new AbortController().signal) =>
      reads.read(script, { step: script, signal } satisfies ReadContext),
  };
}

test("reads in parallel are one command, and later reads are another", async () => {
  const { ran, ask } = batcher();
  const words = Array.from({ length: 20 }, (_, index) => `word-${index}`);
  expect((await Promise.all(words.map((word) => ask(`echo ${word}`)))).map(({ stdout }) => stdout.trim())).toEqual(
    words,
  );
  expect(ran).toHaveLength(1);
  expect((await ask("echo alone")).stdout).toBe("alone\n");
  expect(ran[1]).toBe("echo alone");
});

test("long scripts are divided into several commands", async () => {
  const { ran, ask } = batcher();
  const long = `: ${"x".repeat(20_000)}; echo`;
  expect(
    (await Promise.all([1, 2, 3, 4, 5].map((number) => ask(`${long} ${number}`)))).map(({ stdout }) => stdout),
  ).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n"]);
  expect(ran).toHaveLength(3);
});

test("if a batch fails, each script runs alone", async () => {
  const { ran, ask } = batcher((script) =>
    script.includes("bad") ? new StepError({ step: "looking", cause: "it says more than 16 MiB" }) : undefined,
  );
  const [good, bad] = await Promise.allSettled([ask("echo good"), ask("echo bad")]);
  expect(good).toMatchObject({ status: "fulfilled", value: { stdout: "good\n" } });
  expect(bad).toMatchObject({ status: "rejected", reason: { failure: { cause: "it says more than 16 MiB" } } });
  expect(ran).toHaveLength(3);
});

test("a lost machine fails all reads after one attempt", async () => {
  const { ran, ask } = batcher(
    () => new ConnectionError(connectionTo({ host: "10.0.0.9" }), "the connection was lost", "transient"),
  );
  const answers = await Promise.allSettled([ask("echo a"), ask("echo b")]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(ran).toHaveLength(1);
});

test("an aborted read fails, and the others get their results", async () => {
  const { ask } = batcher();
  const stop = new AbortController();
  const [one, other] = [ask("echo a", stop.signal), ask("echo b")];
  stop.abort(new Error("cancelled"));
  await expect(one).rejects.toThrow("cancelled");
  expect((await other).stdout).toBe("b\n");
});
