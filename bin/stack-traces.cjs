"use strict";
// Names the sources in stack traces of bundles. A map is only read when a stack trace is printed, unlike with Node's
// --enable-source-maps, which reads it at the start.
const fs = require("node:fs");
const { SourceMap } = require("node:module");
const { dirname, join, resolve } = require("node:path");

const FOLDER = join("dist", "bundles");

/** Applies the source map beside a bundle to stack traces. Pulumi's host of the program does so itself. */
function mapStackTraces() {
  Error.prepareStackTrace = (error, frames) =>
    [describeError(error), ...frames.map((frame) => `    at ${describeFrame(frame)}`)].join("\n");
}

/**
 * Pulumi's SDK records a stack trace for each promise, and prints it only with PULUMI_DEBUG_PROMISE_LEAKS. Source maps
 * make each of them expensive.
 */
function skipPromiseTraces() {
  const prepare = Error.prepareStackTrace;
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS || !prepare) return;
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFileName()?.endsWith("/runtime/debuggable.js") ? describeError(error) : prepare(error, frames);
}

function describeError(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

function describeFrame(frame) {
  const text = String(frame);
  const file = frame.getFileName();
  if (!file?.includes(FOLDER)) return text;
  const place = sourcePlace(file, frame.getLineNumber(), frame.getColumnNumber());
  return place ? text.replace(`${file}:${frame.getLineNumber()}:${frame.getColumnNumber()}`, place) : text;
}

const maps = new Map();

function sourcePlace(file, line, column) {
  if (!maps.has(file)) maps.set(file, readMap(file));
  const entry = maps.get(file)?.findEntry(line - 1, column - 1);
  if (!entry?.originalSource) return undefined;
  return `${resolve(dirname(file), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}

function readMap(file) {
  try {
    return new SourceMap(JSON.parse(fs.readFileSync(`${file}.map`, "utf8")));
  } catch {
    return undefined;
  }
}

module.exports = { mapStackTraces, skipPromiseTraces };
