import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Cache } from "../../../artifacts/cache";
import { buildTargets, planTargets, type Target } from "../../../artifacts/modules";
import { loadVersions } from "../../../artifacts/versions";
import { silent } from "../../../common/progress";

const never = new AbortController().signal;
const arch = process.arch === "arm64" ? "arm64" : "amd64";
const plugins = planTargets(loadVersions(), "1.36.3", arch, false).filter((target) =>
  target.recipe?.path.endsWith("/plugins"),
);
const sum = plugins[0]?.recipe?.sum ?? "";

/**
 * A fake `go`: records each call, answers `mod download` with SUM, builds a file named after the program, and fails at
 * FAIL_AT.
 */
const FAKE_GO = `#!/bin/sh
echo "$GOOS/$GOARCH cgo=$CGO_ENABLED $GOFLAGS | $*" >> "$GO_LOG"
case "$1 $2" in
  "mod download") echo "{\\"Dir\\": \\"/nowhere\\", \\"GoMod\\": \\"/dev/null\\", \\"Sum\\": \\"$SUM\\"}" ;;
  "mod tidy") cp go.mod tools.go "$GO_WORK" ;;
  "build -trimpath")
    while [ "$1" != -o ]; do shift; done
    [ "\${2##*/}" != "$FAIL_AT" ] || { echo "$FAIL_AT.go:1: syntax error" >&2; exit 1; }
    echo "built \${2##*/}" > "$2" ;;
esac
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "go-test-"));
  await writeFile(join(folder, "go"), FAKE_GO);
  await chmod(join(folder, "go"), 0o755);
  vi.stubEnv("PATH", [folder, process.env.PATH].join(delimiter));
  vi.stubEnv("GO_LOG", join(folder, "log"));
  vi.stubEnv("GO_WORK", folder);
  vi.stubEnv("SUM", sum);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function calls(word: string): Promise<string[]> {
  return (await readFile(join(folder, "log"), "utf8")).split("\n").filter((line) => line.includes(word));
}

function build(targets: readonly Target[], messages: string[] = []): Promise<unknown> {
  return buildTargets(new Cache({ root: join(folder, "cache") }), targets, (line) => messages.push(line), never);
}

test("builds each binary once, and reports its position", async () => {
  const messages: string[] = [];
  await build(plugins, messages);
  await build(plugins, messages);
  expect(messages).toEqual([
    "resolving modules for (1/7) bridge 1.9.1",
    ...["bridge", "loopback", "ptp", "host-local", "portmap", "bandwidth", "firewall"].map(
      (name, index) => `building (${index + 1}/7) ${name} 1.9.1`,
    ),
  ]);
});

test("the scratch module imports what is built; the build is static, without the user's flags", async () => {
  vi.stubEnv("GOFLAGS", "-race");
  await build(plugins.slice(0, 1));
  expect(await readFile(join(folder, "go.mod"), "utf8")).toContain(
    "require github.com/containernetworking/plugins v1.9.1",
  );
  expect(await readFile(join(folder, "tools.go"), "utf8")).toContain(
    'import _ "github.com/containernetworking/plugins/plugins/main/bridge"',
  );
  const [line = ""] = await calls("build -trimpath");
  expect(line).toMatch(new RegExp(`^linux/${arch} cgo=0 -mod=mod -buildvcs=false \\|`));
  expect(line).toContain("BuildVersion=v1.9.1");
});

test("an interrupted run continues where it stopped", async () => {
  vi.stubEnv("FAIL_AT", "ptp");
  await expect(build(plugins)).rejects.toThrow(
    /build ptp v1\.9\.1 failed: ptp\.go:1: syntax error; try again: completed builds are kept/,
  );
  vi.stubEnv("FAIL_AT", "");
  const messages: string[] = [];
  await build(plugins, messages);
  expect(messages[0]).toBe("resolving modules for (3/7) ptp 1.9.1");
  expect(await calls("/bridge")).toHaveLength(1);
});

test("does not build a module whose sum differs from versions.yaml", async () => {
  vi.stubEnv("SUM", "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  await expect(build(plugins)).rejects.toThrow(/its sum is h1:AAAA.*versions\.yaml requires h1:8oU6WsIs/);
  expect(await calls("build -trimpath")).toEqual([]);
});

test("refuses another architecture before building anything", async () => {
  const foreign = plugins.map((target): Target => ({ ...target, arch: arch === "amd64" ? "arm64" : "amd64" }));
  await expect(buildTargets(new Cache({ root: join(folder, "cache") }), foreign, silent, never)).rejects.toThrow(
    /set `source` to `official` or to the URL of a mirror/,
  );
});
