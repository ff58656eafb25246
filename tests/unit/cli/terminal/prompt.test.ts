import { afterEach, expect, test, vi } from "vitest";
import { confirm, waitForEnter } from "../../../../cli/terminal/prompt";

const isTTY = process.stdin.isTTY;
afterEach(() => {
  process.stdin.isTTY = isTTY;
  vi.restoreAllMocks();
});

test("without a terminal a question fails, and names --yes", async () => {
  process.stdin.isTTY = false;
  await expect(confirm("Continue?", new AbortController().signal)).rejects.toThrow(
    "there is no terminal; read the plan above, then run the command again with --yes",
  );
});

test("without a terminal nothing waits for Enter", async () => {
  process.stdin.isTTY = false;
  await expect(waitForEnter("Press Enter", new AbortController().signal)).resolves.toBeUndefined();
});
