"use strict";
// Entry point of every npm script, and of bin/kubewright in a clone. In a fresh clone there is no node_modules folder,
// so this is plain JavaScript without dependencies. Installs the dependencies of package-lock.json where they are
// missing, then runs the command, which is TypeScript.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { ensureDependencies } = require("./install.cjs");

const MINIMUM = [20, 19];

function isTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1]);
}

/** Installs missing dependencies. */
async function prepare() {
  if (isTooOld()) throw new Error(`Node ${MINIMUM.join(".")} or newer is required; this is ${process.versions.node}`);
  await ensureDependencies(join(__dirname, ".."));
}

/** Users' commands are in cli/commands and run from a bundle; developers' tools are in tools. */
async function runScript(command, args) {
  await prepare();
  if (existsSync(join(__dirname, "commands", `${command}.ts`))) return await loadCommands().runScript(command, args);
  require("tsx/cjs");
  return await require(join(__dirname, "..", "tools", `${command}.ts`)).main(args);
}

/** Runs the program `kubewright`. */
async function runProgram(argv) {
  await prepare();
  return await loadCommands().runProgram(argv);
}

function loadCommands() {
  return require("../bin/load-commands.cjs");
}

/** Ends the process with the exit code of a run, or with its error. */
function exitWith(run) {
  run.then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      process.stderr.write(`\n${process.env.KUBEWRIGHT_DEBUG ? error.stack : error.message}\n`);
      process.exitCode = 1;
    },
  );
}

if (require.main === module) {
  const [command, ...args] = process.argv.slice(2);
  exitWith(runScript(command, args));
}

module.exports = { exitWith, runProgram };
