"use strict";
// All commands, from their bundle.
require("node:module").enableCompileCache?.(); // Node 22 and newer
require("./lazy-modules.cjs");
require("./stack-traces.cjs").mapStackTraces();
module.exports = require("./load-bundle.cjs").loadBundle("cli");
