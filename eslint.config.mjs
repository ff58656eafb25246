import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** Which room may import which: docs/architecture.md, as a table that is kept by a machine. */
const ROOMS = {
  common: [],
  artifacts: ["common"],
  render: ["common"],
  contracts: ["render", "common"],
  provider: ["contracts", "artifacts", "render", "common"],
  sdk: ["contracts", "render", "common"],
  components: ["sdk", "contracts", "render", "common"],
  cli: ["components", "sdk", "provider", "contracts", "artifacts", "render", "common"],
};
const ALL = ["common", "artifacts", "render", "provider", "contracts", "sdk", "components", "cli", "tools", "tests"];

/** What a room may not import, as zones. `except` is relative to `from`. */
const zones = Object.entries(ROOMS).flatMap(([room, allowed]) =>
  ALL.filter((other) => other !== room && !allowed.includes(other)).map((other) => {
    const except = allowed
      .filter((path) => path.startsWith(`${other}/`))
      .map((path) => `./${path.slice(other.length + 1)}`);
    return {
      target: `./${room}`,
      from: `./${other}`,
      ...(except.length > 0 ? { except } : {}),
      message: `docs/architecture.md: ${room}/ may not import ${other}/`,
    };
  }),
);

export default tseslint.config(
  {
    ignores: [
      "node_modules/**",
      "dist/**",
      ".kubewright/**",
      "**/*.cjs",
      "**/*.mjs",
      "bin/**",
      "examples/**",
      "**/*.mts",
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    plugins: { "import-x": importX },
    settings: {
      ...importX.flatConfigs.typescript.settings,
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js", ".json"] })],
    },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/unbound-method": "off", // handlers are plain objects, taken apart at will
      "@typescript-eslint/require-await": "off", // an interface may ask for a promise where this one has nothing to wait for
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["tests/support/*reporter.ts", "tests/**/global-setup.ts"], rules: { "import-x/no-default-export": "off" } },
  // gRPC's errors are plain status objects.
  { files: ["provider/rpc/**/*.ts"], rules: { "@typescript-eslint/only-throw-error": "off" } },
  // A test file is one long function by its nature, and its stand-ins need not be complete.
  { files: ["tests/**/*.ts"], rules: { "max-lines-per-function": "off" } },
);
