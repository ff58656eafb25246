"use strict";
// The Pulumi program, as a bundle of index.ts. Pulumi starts a program in the folder of its file.
const { join } = require("node:path");
const { loadBundle } = require("./load-bundle.cjs");
const { skipPromiseTraces } = require("./stack-traces.cjs");

skipPromiseTraces();
if (process.cwd() === __dirname) process.chdir(join(__dirname, ".."));
module.exports = loadBundle("program");
