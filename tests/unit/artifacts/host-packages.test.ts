import { expect, test } from "vitest";
import { searchPath } from "../../../artifacts/controller-tools";
import { ensureBuildTools, type Installer, type BuildTool } from "../../../artifacts/host-packages";

import { silent } from "../../../common/progress";

const never = new AbortController().signal;

function need(name: string, installed: Set<string>): BuildTool {
  return { what: `the ${name}`, debian: name, isPresent: async () => installed.has(name) };
}

function host(may: boolean, installed: Set<string>, works = true): Installer {
  return {
    canInstall: async () => may,
    install: async (packages) => {
      if (works) for (const name of packages) installed.add(name);
    },
  };
}

test("installs only what is missing", async () => {
  const installed = new Set(["gcc"]);
  const messages: string[] = [];
  await ensureBuildTools(
    [need("gcc", installed), need("zstd", installed)],
    (line) => messages.push(line),
    never,
    host(true, installed),
  );
  expect(messages).toEqual(["installing zstd on this computer"]);
});

test("names the packages to install when it cannot install them", async () => {
  const missing = ensureBuildTools(
    [need("gcc", new Set()), need("zstd", new Set())],
    silent,
    never,
    host(false, new Set()),
  );
  await expect(missing).rejects.toThrow(/the gcc, the zstd.*install gcc zstd/);
});

test("fails when a tool is still missing after the installation", async () => {
  await expect(ensureBuildTools([need("gcc", new Set())], silent, never, host(true, new Set(), false))).rejects.toThrow(
    /still missing after the installation/,
  );
});

test("does not take npm's launcher on PATH for Pulumi", () => {
  expect(searchPath("/usr/bin:/x/node_modules/.bin::/y/node_modules/.bin/:/bin")).toEqual(["/usr/bin", "/bin"]);
});
