"use strict";
// Loaded before Pulumi's host of the program: `cli/engine/workspace.ts` names it in NODE_OPTIONS.
const { join, resolve } = require("node:path");
require("./lazy-modules.cjs");

require("node:module").enableCompileCache?.(); // Node 22 and newer

/** Whether this process runs Kubewright's program, in a clone or in a project. Other programs may be TypeScript. */
function runsProgram() {
  const file = resolve(process.argv.at(-1) ?? "");
  return file === join(__dirname, "program.cjs") || file.endsWith(join(".kubewright", "program", "index.js"));
}

// Language hosts before 3.69 load TypeScript whatever Pulumi.yaml says.
if (runsProgram()) delete process.env.PULUMI_NODEJS_TYPESCRIPT;
