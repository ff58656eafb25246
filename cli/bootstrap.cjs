"use strict";
// Entry point of every npm script. In a fresh clone there is no node_modules folder, so this is plain JavaScript
// without dependencies. Installs the dependencies of package-lock.json where they are missing, then runs the command,
// which is TypeScript.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { ensureDependencies } = require("./install.cjs");

const MINIMUM = [20, 19];

function isTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1]);
}

/** Users' commands are in cli/commands, developers' tools in tools. */
async function runCommand(command, args) {
  const module = join(__dirname, "commands", `${command}.ts`);
  if (!existsSync(module)) return await require(join(__dirname, "..", "tools", `${command}.ts`)).main(args);
  return await require("./main.ts").main(command, args, () => require(module));
}

async function run(command, args) {
  if (isTooOld()) throw new Error(`Node ${MINIMUM.join(".")} or newer is required; this is ${process.versions.node}`);
  await ensureDependencies(join(__dirname, ".."));
  require("tsx/cjs");
  return await runCommand(command, args);
}

const [command, ...args] = process.argv.slice(2);
run(command, args).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`\n${process.env.KUBEWRIGHT_DEBUG ? error.stack : error.message}\n`);
    process.exitCode = 1;
  },
);
