"use strict";
// Lock file with a process id, for the installation of the dependencies. It is our own because proper-lockfile, which
// all other locks use, is itself a dependency.
const { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");

const RETRY_MS = 200;

/** Runs `work` while no other process holds `path`; calls `onWait` once where one does. */
async function withLock(path, onWait, work) {
  await acquire(path, onWait);
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

async function acquire(path, onWait) {
  let hasReported = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder === undefined) continue; // released in the meantime
    if (!isAlive(holder)) {
      steal(path, holder);
      continue;
    }
    if (!hasReported) onWait(holder);
    hasReported = true;
    await sleep(RETRY_MS);
  }
}

/** Creates the lock file by linking a complete file, so that it never exists without its content. */
function take(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    unlinkSync(own);
  }
}

/** Moves the lock of a dead process away, and back where another process has already replaced it. */
function steal(path, holder) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (holderOf(aside) !== holder) linkSync(aside, path);
  } catch {
    // another process was faster
  }
  rmSync(aside, { force: true });
}

function holderOf(path) {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

module.exports = { withLock };
