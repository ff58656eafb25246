import { join } from "node:path";
import { run } from "../common/process";
import { projectRoot } from "../common/project-root";
import { checkTerminology } from "./terminology";

interface Linter {
  name: string;
  check(): Promise<boolean>;
}

/** The linters of `npm run lint`, the slowest last. */
const LINTERS: readonly Linter[] = [
  { name: "terminology", check: terminology },
  { name: "cspell", check: () => tool("cspell", "bin.mjs", "lint", "--no-progress", "--no-summary", "--no-color") },
  {
    name: "prettier",
    check: () => tool("prettier", join("bin", "prettier.cjs"), "--check", "--log-level", "warn", "."),
  },
  { name: "eslint", check: () => tool("eslint", join("bin", "eslint.js"), ".", "--max-warnings", "0") },
];

/** `npm run lint`, `npm run lint -- eslint`: checks terminology, spelling, format and code. */
export async function main(args: readonly string[]): Promise<number> {
  const chosen = args.length > 0 ? LINTERS.filter(({ name }) => args.includes(name)) : LINTERS;
  return (await runLinters(chosen)) > 0 ? 1 : 0;
}

/** Runs each linter, also after a failure, and returns the number of those that failed. */
export async function runLinters(linters = LINTERS): Promise<number> {
  let failed = 0;
  for (const { name, check } of linters) {
    const start = Date.now();
    const passed = await check();
    failed += passed ? 0 : 1;
    process.stdout.write(`${passed ? "ok    " : "FAILED"}  ${name}  ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
  }
  return failed;
}

async function terminology(): Promise<boolean> {
  const findings = checkTerminology();
  process.stdout.write(findings.map((line) => `${line}\n`).join(""));
  return findings.length === 0;
}

/** Runs the program of a package with its output on the terminal. */
async function tool(pkg: string, program: string, ...args: readonly string[]): Promise<boolean> {
  const file = join(projectRoot(), "node_modules", pkg, program);
  const { exitCode } = await run(process.execPath, [file, ...args], {
    cwd: projectRoot(),
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
  });
  return exitCode === 0;
}
