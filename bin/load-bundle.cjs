"use strict";
// Loads a bundle, with V8's compiled code from an earlier run: half of the time to load a bundle is its compilation.
const fs = require("node:fs");
const Module = require("node:module");
const { dirname, join } = require("node:path");
const vm = require("node:vm");
const { bundleFile } = require("./bundle.cjs");

const ROOT = join(__dirname, "..");

/** Returns what the bundle exports. */
function loadBundle(name, root = ROOT) {
  const file = preparedFile(root, name);
  const module = new Module(file, null);
  module.filename = file;
  module.paths = Module._nodeModulePaths(dirname(file));
  run(file, module);
  return module.exports;
}

function preparedFile(root, name) {
  try {
    return bundleFile(root, name);
  } catch (error) {
    error.message = `bundling ${name} of Kubewright failed: ${error.message}\nrun \`npm ci\` in ${root}`;
    throw error;
  }
}

function run(file, module) {
  const cache = `${file}.${process.version}-${process.arch}.cache`; // V8 refuses the code of another version
  const cachedData = fs.existsSync(cache) ? fs.readFileSync(cache) : undefined;
  const script = new vm.Script(Module.wrap(fs.readFileSync(file, "latin1")), {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData && { cachedData }),
  });
  const wrapper = script.runInThisContext();
  wrapper.call(module.exports, module.exports, Module.createRequire(file), module, file, dirname(file));
  if (!cachedData || script.cachedDataRejected) store(cache, script.createCachedData());
}

/** Another user may have installed the package: then each run compiles it. */
function store(cache, data) {
  const temporary = `${cache}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, data);
    fs.renameSync(temporary, cache);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

module.exports = { loadBundle };
