import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silent } from "../../../../common/progress";
import { CachedFiles } from "../../../../provider/context/cached-files";

const { signal } = new AbortController();
const request = { source: "official", kubernetes: "1.36.3", arch: "amd64" } as const;
let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "kubewright-cached-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

function fill(): string {
  const folder = join(cache, "artifacts", "kubelet");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "kubelet"), "");
  return join(folder, "kubelet");
}

test.each(["$KUBEWRIGHT_CACHE/artifacts/kubelet/kubelet", "/home/a/.cache/kubewright/artifacts/kubelet/kubelet"])(
  "%s is fetched where this computer does not have it, and only then",
  async (recorded) => {
    const fetch = vi.fn(() => Promise.resolve(fill()));
    const files = new CachedFiles(fetch);
    files.remember(request);
    files.remember({ ...request });
    const path = await files.obtain(recorded, silent, signal);
    expect(path).toBe(join(cache, "artifacts", "kubelet", "kubelet"));
    expect(await files.obtain(recorded, silent, signal)).toBe(path);
    expect(fetch).toHaveBeenCalledExactlyOnceWith(request, silent, signal);
  },
);

test("a file that no request has is not found", async () => {
  expect(await new CachedFiles().obtain("$KUBEWRIGHT_CACHE/artifacts/a/b", silent, signal)).toBeUndefined();
});
