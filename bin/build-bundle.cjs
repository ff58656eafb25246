"use strict";
// Builds one bundle: node bin/build-bundle.cjs ROOT NAME FILE. A process of its own, because a program is loaded
// synchronously, and only the asynchronous API of esbuild has plugins.
const fs = require("node:fs");
const { build } = require("esbuild");
const { BUNDLES, isHashed } = require("./bundle.cjs");

/** `external` packages are loaded from node_modules. */
const OPTIONS = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  // The Kubernetes client's generated types make up most of a bundle. Names stay for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 200, // Node prints the line of an uncaught error
  charset: "ascii", // `loadBundle` reads it as one byte per character
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: "error",
};

const EMPTY_MAP = Buffer.from(
  '{"version":3,"sources":["package"],"sourcesContent":[""],"names":[],"mappings":"AAAA"}',
).toString("base64");

/** Keeps packages out of source maps, which are otherwise five times as large and as slow to read. */
const ownSourcesOnly = {
  name: "own-sources-only",
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
      const text = fs.readFileSync(path, "utf8");
      return { contents: `${text}\n//# sourceMappingURL=data:application/json;base64,${EMPTY_MAP}`, loader: "default" };
    });
  },
};

/** A source that is not in the hash could change without another bundle. Packages are in it by their versions. */
function assertHashed(inputs) {
  const missing = inputs.filter((input) => !/(^|\/)node_modules\//.test(input) && !isHashed(input));
  if (missing.length > 0) throw new Error(`add ${missing.join(", ")} to SOURCES in bin/bundle.cjs`);
}

async function main(root, name, outfile) {
  const options = { ...OPTIONS, ...BUNDLES[name], plugins: [ownSourcesOnly], absWorkingDir: root, outfile };
  const { metafile } = await build(options);
  assertHashed(Object.keys(metafile.inputs));
}

main(...process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
