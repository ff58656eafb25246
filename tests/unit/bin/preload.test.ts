import { join } from "node:path";
import { expect, test } from "vitest";
import { withPreload } from "../../../cli/engine/workspace";
import { run } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";

/** Runs a script as Pulumi's language host starts a program. Returns what it prints as JSON. */
async function hostRuns(script: string, program: string, cwd = projectRoot()): Promise<unknown> {
  const env = { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true", NODE_OPTIONS: withPreload() };
  const { stdout } = await run(process.execPath, ["-e", script, "--", program], { cwd, env });
  return JSON.parse(String(stdout));
}

test("Pulumi's SDK starts without TypeScript, and finds it when it needs it", async () => {
  const script = `
    const root = ${JSON.stringify(projectRoot())};
    const { join } = require("node:path");
    const sdk = join(root, "node_modules", "@pulumi", "pulumi");
    const shim = require(join(sdk, "typescript-shim.js"));
    const closures = require(join(sdk, "runtime", "closure", "codePaths.js"));
    const isLoaded = () => Object.keys(require.cache).some((file) => /typescript\\.js$|arborist/.test(file));
    const before = isLoaded();
    console.log(JSON.stringify([before, shim.version, isLoaded(), typeof closures.computeCodePaths]));
  `;
  const { version } = await import("typescript");
  expect(await hostRuns(script, "index.js")).toEqual([false, version, true, "function"]);
});

const TYPESCRIPT = "console.log(JSON.stringify(process.env.PULUMI_NODEJS_TYPESCRIPT ?? null))";

test.each([
  ["in a clone", "program.cjs", join(projectRoot(), "bin")],
  ["in a project", "/somewhere/.kubewright/program/index.js", "/"],
])("the host compiles no TypeScript for Kubewright's program %s", async (_, program, cwd) => {
  expect(await hostRuns(TYPESCRIPT, program, cwd)).toBeNull();
});

test("a program of the user's own may be TypeScript", async () => {
  expect(await hostRuns(TYPESCRIPT, "index.ts", "/")).toBe("true");
});

test("NODE_OPTIONS of the user stay, and are extended once", () => {
  const options = withPreload("--max-old-space-size=900");
  expect(options).toMatch(/^--max-old-space-size=900 --require=".*preload\.cjs"$/);
  expect(withPreload(options)).toBe(options);
});
