"use strict";
// `npm ci`, when it is needed, once at a time. Plain JavaScript: it runs before there are dependencies.
const { spawn } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { withLock } = require("./lock.cjs");

const HEARTBEAT_MS = 15_000;

/** npm writes node_modules/.package-lock.json last, so an interrupted installation has none. */
function isInstalled(root) {
  const wanted = packages(join(root, "package-lock.json"));
  const present = packages(join(root, "node_modules", ".package-lock.json"));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const found = present[path];
    return path === "" || (found ? found.version === version : optional === true);
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
  const waiting = (pid) => say(`another run (process ${pid}) installs the dependencies; waiting for it`);
  await withLock(join(folder, "install.lock"), waiting, async () => {
    if (!isInstalled(root)) await install(root);
  });
}

async function install(root) {
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  say("dependencies: installing with `npm ci`");
  const heartbeat = setInterval(() => say(`dependencies: still installing, ${seconds()}`), HEARTBEAT_MS);
  try {
    await npmCi(root);
  } finally {
    clearInterval(heartbeat);
  }
  if (!isInstalled(root))
    throw new Error(
      "`npm ci` ended well, but node_modules is not what package-lock.json says; remove it and try again",
    );
  say(`dependencies: installed in ${seconds()}`);
}

/** No install scripts: nothing here needs them, and some of them compile for a minute. */
function npmCi(root) {
  const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const [file, words] = npm?.endsWith(".js") ? [process.execPath, [npm, ...args]] : ["npm", args];
  return new Promise((done, fail) => {
    // npm's stdout is our stderr: stdout belongs to what the command itself says.
    const child = spawn(file, words, { cwd: root, stdio: ["ignore", 2, 2] });
    child.once("error", (error) => fail(new Error(`npm could not be started: ${error.message}`)));
    child.once("exit", (code, signal) =>
      code === 0 ? done() : fail(new Error(`npm ci failed (${signal ?? `exit code ${code}`}); its words are above`)),
    );
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

module.exports = { ensureDependencies, isInstalled };
