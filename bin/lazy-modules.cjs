"use strict";
// Delays modules that Pulumi's SDK loads at its start, and that take more than half of its time to load. It uses them
// only to serialize functions, which Kubewright does not do.
const Module = require("node:module");

const LAZY = new Set(["typescript", "@npmcli/arborist", "normalize-package-data"]);

const load = Module._load;
Module._load = function (request, parent, isMain) {
  if (!LAZY.has(request) || !parent?.filename?.includes("/@pulumi/pulumi/"))
    return load.call(this, request, parent, isMain);
  Module._resolveFilename(request, parent); // a missing module is an error now, as without the delay
  return delayed(() => load.call(this, request, parent, isMain));
};

/** Stands for a CommonJS module, which is loaded when a property of it is first read. */
function delayed(read) {
  let module;
  const property = (name) => (module ??= read())[name];
  // Compiled imports copy all properties of a module without `__esModule`, and take `default` of one that has it.
  const get = (_, name) =>
    name === "__esModule" ? true : name === "default" ? (property(name) ?? module) : property(name);
  return new Proxy({}, { get, has: (_, name) => name in (module ??= read()) });
}
