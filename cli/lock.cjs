"use strict";
// A lock file with a process id, for the time before there are dependencies (afterwards: proper-lockfile).
const { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");

const LOOK_EVERY_MS = 200;

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
  let told = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder === undefined) continue; // gone between the two looks
    if (!isAlive(holder)) {
      steal(path, holder);
      continue;
    }
    if (!told) onWait(holder);
    told = true;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Written aside and linked into place, so that the file is never seen without its content. */
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

/** Moves a dead process's lock away; when somebody else was quicker, the lock moved is a living one and goes back. */
function steal(path, holder) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (holderOf(aside) !== holder) linkSync(aside, path);
  } catch {
    // somebody else was quicker
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
