"use strict";
// Bundles of the provider, the program and the commands. A bundle loads in a fraction of the time of its sources. Its
// name is the hash of all sources, so a changed source is never run from an old bundle. An installed package contains
// the bundles without the sources.
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { join } = require("node:path");

/** `external` packages are loaded from node_modules: Pulumi's host has the SDK too, and there must be only one. */
const BUNDLES = {
  provider: { entryPoints: ["provider/main.ts"], external: ["*.node", "cpu-features"] },
  program: { entryPoints: ["index.ts"], external: ["@pulumi/*"] },
  cli: { entryPoints: ["cli/entry.ts"], external: ["*.node", "cpu-features", "@pulumi/*"] },
};

/** Everything that decides what is in a bundle. The second lock file lists what npm has really installed. */
const SOURCES = [
  ...["artifacts", "cli", "common", "components", "contracts", "provider", "render", "sdk", "index.ts"],
  ...["bin", "package.json", "package-lock.json", "node_modules/.package-lock.json", "tsconfig.json"],
];

/** Bundles that are kept in a clone: those of other runs, which may just be loading them, and of other branches. */
const KEPT = 3;

/** Returns the bundle of the sources as they are. Builds it where it does not exist. */
function bundleFile(root, name) {
  const folder = join(root, "dist", "bundles", name);
  if (!isClone(root)) return join(folder, bundlesIn(folder)[0] ?? "missing.cjs");
  const hash = hashOfSources(root);
  const file = join(folder, `${hash}.cjs`);
  if (!fs.existsSync(file)) build(root, name, hash, file);
  return file;
}

/** Whether a source, relative to the root, is in the hash. */
function isHashed(path) {
  return SOURCES.some((source) => path === source || path.startsWith(`${source}/`));
}

function isClone(root) {
  return fs.existsSync(join(root, "provider", "main.ts"));
}

/** Names of the bundles in a folder, newest first. */
function bundlesIn(folder) {
  const changed = (name) => fs.statSync(join(folder, name)).mtimeMs;
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".cjs")) : [];
  return names.sort((one, other) => changed(other) - changed(one));
}

function hashOfSources(root) {
  const hash = createHash("sha256");
  for (const source of SOURCES) addToHash(hash, root, source);
  return hash.digest("hex").slice(0, 32);
}

function addToHash(hash, root, path) {
  const stats = fs.statSync(join(root, path), { throwIfNoEntry: false });
  if (!stats) return;
  if (stats.isDirectory()) {
    for (const name of fs.readdirSync(join(root, path)).sort()) addToHash(hash, root, `${path}/${name}`);
    return;
  }
  const content = fs.readFileSync(join(root, path));
  hash.update(`${path}\0${content.length}\0`).update(content);
}

/** Parallel builds write to folders of their own, and the last rename wins: a bundle is always complete. */
function build(root, name, hash, file) {
  const temporary = join(root, "dist", "bundles", `${name}.${process.pid}.tmp`); // as deep as the bundle's own folder
  const output = join(temporary, `${hash}.cjs`);
  try {
    const script = join(__dirname, "build-bundle.cjs");
    execFileSync(process.execPath, [script, root, name, output], { stdio: ["ignore", "ignore", "pipe"] });
    if (hashOfSources(root) !== hash) throw new Error("sources changed during the build: run the command again");
    fs.mkdirSync(join(file, ".."), { recursive: true });
    fs.renameSync(`${output}.map`, `${file}.map`);
    fs.renameSync(output, file);
    prune(join(file, ".."), KEPT);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** Removes all but the newest bundles, with their maps and compiled code. */
function prune(folder, kept) {
  const names = bundlesIn(folder).slice(0, kept);
  for (const file of fs.readdirSync(folder))
    if (!names.some((name) => file.startsWith(name))) fs.rmSync(join(folder, file), { force: true });
}

/** Builds all bundles for a package, which must contain only one of each, without code that V8 has compiled. */
function buildAll(root) {
  for (const name of Object.keys(BUNDLES)) {
    const file = bundleFile(root, name);
    const kept = [file, `${file}.map`];
    const files = fs.readdirSync(join(file, "..")).map((one) => join(file, "..", one));
    for (const other of files) if (!kept.includes(other)) fs.rmSync(other, { force: true });
  }
}

module.exports = { BUNDLES, buildAll, bundleFile, hashOfSources, isHashed };
