import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";

interface Bundles {
  bundleFile(root: string, name: string): string;
  hashOfSources(root: string): string;
}

const { bundleFile, hashOfSources } = createRequire(__filename)("../../../bin/bundle.cjs") as Bundles;

/** A clone in small. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-bundle-"));
  write("provider/main.ts", "");
  write("index.ts", 'import { text } from "./render/text";\nexport const answer = text();\n');
  write("render/text.ts", 'export const text = () => "one";\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const answerOf = (file: string) => (createRequire(__filename)(file) as { answer: string }).answer;

test("a changed source is never run from an old bundle, even if it has the same size and time", () => {
  const time = new Date(0);
  utimesSync(join(root, "render/text.ts"), time, time);
  const before = bundleFile(root, "program");
  expect(answerOf(before)).toBe("one");
  expect(bundleFile(root, "program")).toBe(before);
  write("render/text.ts", 'export const text = () => "two";\n');
  utimesSync(join(root, "render/text.ts"), time, time);
  expect(answerOf(bundleFile(root, "program"))).toBe("two");
});

test.each([
  ["a new file", () => write("render/text/index.ts", "")],
  ["a deleted file", () => rmSync(join(root, "render/text.ts"))],
  ["other dependencies", () => write("package-lock.json", "{}")],
  ["an installation", () => write("node_modules/.package-lock.json", "{}")],
  ["another recipe", () => write("bin/build-bundle.cjs", "")],
  ["other compiler options", () => write("tsconfig.json", "{}")],
])("%s is another bundle", (_, change) => {
  const before = hashOfSources(root);
  change();
  expect(hashOfSources(root)).not.toBe(before);
});

test("a source outside the hash fails the build", () => {
  write("other/text.ts", "export const text = () => 1;\n");
  write("index.ts", 'export { text } from "./other/text";\n');
  expect(() => bundleFile(root, "program")).toThrow(/add other\/text\.ts to SOURCES in bin\/bundle\.cjs/);
  expect(readdirSync(join(root, "dist", "bundles"))).toEqual([]);
});

test("an installed package runs the bundle that it contains", () => {
  const file = bundleFile(root, "program");
  for (const source of ["provider", "render", "index.ts"]) rmSync(join(root, source), { recursive: true });
  expect(bundleFile(root, "program")).toBe(file);
});

/** Loads the program in a process of its own, with a copy of the loader. Returns what it prints. */
async function load(script: string): Promise<string> {
  symlinkSync(join(projectRoot(), "node_modules"), join(root, "node_modules"));
  const { stdout } = await run(process.execPath, ["-e", `const root = ${JSON.stringify(root)};${script}`]);
  rmSync(join(root, "node_modules"));
  return String(stdout);
}

const LOAD = `
  const { loadBundle } = require(${JSON.stringify(join(projectRoot(), "bin", "load-bundle.cjs"))});
  require(${JSON.stringify(join(projectRoot(), "bin", "stack-traces.cjs"))}).mapStackTraces();
  try { console.log(loadBundle("program", root).answer) } catch (error) { console.log(error.stack) }
`;

test("stack traces name the source", async () => {
  write("render/text.ts", '\n\nexport const text = () => {\n  throw new Error("broken");\n};\n');
  const trace = await load(LOAD);
  expect(trace).toMatch(/^Error: broken\n +at text \(/);
  expect(trace).toContain(`${join(root, "render", "text.ts")}:4:9`);
});

test("compiled code is stored, and refused where it is damaged", async () => {
  expect((await load(LOAD)).trim()).toBe("one");
  const folder = join(root, "dist", "bundles", "program");
  const cache = readdirSync(folder).find((name) => name.endsWith(".cache")) ?? "";
  const size = statSync(join(folder, cache)).size;
  writeFileSync(join(folder, cache), "damaged");
  expect((await load(LOAD)).trim()).toBe("one");
  expect(statSync(join(folder, cache)).size).toBe(size);
});
