"use strict";
// Runs `npm ci` where the installed dependencies differ from package-lock.json. Plain JavaScript, because it runs
// before dependencies exist.
const { spawn } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { withLock } = require("./lock.cjs");

const HEARTBEAT_MS = 15_000;

/**
 * Whether node_modules matches package-lock.json. npm writes node_modules/.package-lock.json last, so an interrupted
 * installation has none.
 */
function isInstalled(root) {
  const required = packages(join(root, "package-lock.json"));
  const present = packages(join(root, "node_modules", ".package-lock.json"));
  if (!required || !present) return false;
  return Object.entries(required).every(([path, { version, optional }]) => {
    const installed = present[path];
    return path === "" || (installed ? installed.version === version : optional === true);
  });
}

function packages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, "utf8")).packages;
  } catch {
    return undefined;
  }
}

async function ensureDependencies(root) {
  if (isInstalled(root)) return;
  const folder = join(root, ".kubewright");
  mkdirSync(folder, { recursive: true });
  const onWait = (pid) => print(`process ${pid} is installing the dependencies: waiting for it`);
  await withLock(join(folder, "install.lock"), onWait, async () => {
    if (!isInstalled(root)) await install(root);
  });
}

async function install(root) {
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  print("dependencies: installing with `npm ci`");
  const heartbeat = setInterval(() => print(`dependencies: still installing, ${seconds()}`), HEARTBEAT_MS);
  try {
    await npmCi(root);
  } finally {
    clearInterval(heartbeat);
  }
  if (!isInstalled(root))
    throw new Error(
      "`npm ci` succeeded, but node_modules does not match package-lock.json: " +
        "delete node_modules and run the command again",
    );
  print(`dependencies: installed in ${seconds()}`);
}

/** Skips install scripts: no dependency needs them, and some compile for a minute. */
function npmCi(root) {
  const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const [file, argv] = npm?.endsWith(".js") ? [process.execPath, [npm, ...args]] : ["npm", args];
  return new Promise((done, fail) => {
    // npm's output goes to stderr: stdout is for the result of the command.
    const child = spawn(file, argv, { cwd: root, stdio: ["ignore", 2, 2] });
    child.once("error", (error) => fail(new Error(`npm could not start: ${error.message}`)));
    child.once("exit", (code, signal) =>
      code === 0 ? done() : fail(new Error(`npm ci failed (${signal ?? `exit code ${code}`}): see its output above`)),
    );
  });
}

function print(line) {
  process.stderr.write(`${line}\n`);
}

module.exports = { ensureDependencies, isInstalled };
