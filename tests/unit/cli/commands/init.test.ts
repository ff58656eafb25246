import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { run } from "../../../../cli/commands/init";
import type { Options } from "../../../../cli/terminal/options";

const root = mkdtempSync(join(tmpdir(), "kubewright-init-"));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

test("the project has a program in the chosen language, and the next commands install what it needs", async () => {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const folder = join(root, "lab");
  await run({ stack: "dev", values: { language: "python" }, words: [folder] } as unknown as Options);
  expect(existsSync(join(folder, "__main__.py"))).toBe(true);
  expect(text).toMatch(
    /\n {2}npm install\n {2}python3 -m venv venv && venv\/bin\/pip install -r requirements\.txt\n {2}.*(start|up)\n$/,
  );
});
