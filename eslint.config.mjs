import prettier from "eslint-config-prettier";
import globals from "globals";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** The folders that each folder may import, as in docs/architecture.md. */
const ALLOWED_IMPORTS = {
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

/** The forbidden imports as zones. `except` is relative to `from`. */
const zones = Object.entries(ALLOWED_IMPORTS).flatMap(([folder, allowed]) =>
  ALL.filter((other) => other !== folder && !allowed.includes(other)).map((other) => {
    const except = allowed
      .filter((path) => path.startsWith(`${other}/`))
      .map((path) => `./${path.slice(other.length + 1)}`);
    return {
      target: `./${folder}`,
      from: `./${other}`,
      ...(except.length > 0 ? { except } : {}),
      message: `docs/architecture.md: ${folder}/ may not import ${other}/`,
    };
  }),
);

/** Files outside tsconfig.json: no type information. */
const UNTYPED = ["**/*.cjs", "**/*.mjs", "**/*.mts", "bin/*", "examples/**/*.ts", "templates/**/*.ts"];

export default tseslint.config(
  { ignores: ["node_modules/**", "dist/**", ".kubewright/**", "coverage/**", "reports/**", "**/.stryker-tmp/**"] },
  { files: ["bin/*"] },
  ...tseslint.configs.recommendedTypeChecked,
  prettier,
  {
    files: ["**/*.ts"],
    ignores: ["examples/**", "templates/**"],
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
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/unbound-method": "off", // handlers are plain objects without `this`
      "@typescript-eslint/require-await": "off", // an implementation may need no await
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
      "no-restricted-properties": [
        "error",
        { object: "AbortSignal", property: "timeout", message: "Node may lose it: use timeoutSignal of common/timer." },
      ],
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: UNTYPED, ...tseslint.configs.disableTypeChecked },
  {
    files: ["**/*.cjs", "bin/*"],
    languageOptions: { sourceType: "commonjs", globals: globals.node },
    rules: { "@typescript-eslint/no-require-imports": "off", "no-undef": "error" },
  },
  {
    rules: {
      // Prettier leaves comments, strings and templates as they are.
      "max-len": ["error", { code: 120, ignoreUrls: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  { files: ["tests/support/*reporter.ts", "tests/**/global-setup.ts"], rules: { "import-x/no-default-export": "off" } },
  // gRPC's errors are plain status objects.
  { files: ["provider/rpc/**/*.ts"], rules: { "@typescript-eslint/only-throw-error": "off" } },
  // `describe` makes a test file one long function.
  { files: ["tests/**/*.ts"], rules: { "max-lines-per-function": "off", "no-restricted-properties": "off" } },
);
