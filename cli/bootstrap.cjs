"use strict";
// `npm start` in a fresh clone lands here, without node_modules: so this is plain JavaScript on Node alone. It installs the
// dependencies when they are not those of package-lock.json, then hands over to the script in TypeScript.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { ensureDependencies } = require("./install.cjs");

const MINIMUM = [20, 19];

function tooOld() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1]);
}

/** What users run is in cli/commands; what developers run is in tools. */
function sourceOf(command) {
  const inCommands = join(__dirname, "commands", `${command}.ts`);
  return existsSync(inCommands) ? inCommands : join(__dirname, "..", "tools", `${command}.ts`);
}

async function run(command, args) {
  if (tooOld()) throw new Error(`Node ${MINIMUM.join(".")} or newer is needed; this is ${process.versions.node}`);
  await ensureDependencies(join(__dirname, ".."));
  require("tsx/cjs");
  return await require(sourceOf(command)).main(args);
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
