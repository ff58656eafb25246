import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cache } from "../../../artifacts/cache";
import { controllerPlatform } from "../../../artifacts/controller-tools";
import { goBuild, prepareScratch, type Recipe } from "../../../artifacts/go";
import { recipeHash } from "../../../artifacts/hash";
import { loadVersions } from "../../../artifacts/versions";
import { run } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";

/**
 * Pulumi's generators of SDKs, built from its modules: a Pulumi that is built from modules has language hosts without
 * them. The generator of .NET is from the last version whose module contains it. That of Java is in no module that a
 * proxy serves. The builds take minutes, once.
 */
const MODULE = "github.com/pulumi/pulumi/pkg/v3";
const codegen = (...names: string[]) => Object.fromEntries(names.map((name) => [name, `${MODULE}/codegen/${name}`]));
const COMMON = { path: MODULE, staging: false, cgo: false, tags: [], ldflags: "-s -w" };

interface Generator {
  /** Its source, in the folder of this file. */
  file: string;
  recipe: Recipe;
}

function generators(): Generator[] {
  const { sum, version } = loadVersions().pulumi.modules.find(({ path }) => path === MODULE) ?? {};
  if (sum === undefined || version === undefined) throw new Error(`versions.yaml does not have ${MODULE}`);
  return [
    {
      file: "generate.go",
      recipe: { ...COMMON, version, sum, packages: codegen("go", "nodejs", "python", "schema") },
    },
    {
      file: "generate-dotnet.go",
      recipe: {
        ...COMMON,
        ...{ version: "v3.60.0", sum: "h1:P6C1ZrpbHRym5yIYRNS6v6u3PmDiI5hBKzkoeJ8Qj6w=" },
        packages: codegen("dotnet", "schema"),
      },
    },
  ];
}

const signal = AbortSignal.timeout(1_200_000);
const progress = (message: string) => void process.stdout.write(`    sdks │ ${message}\n`);

/**
 * Generates the SDKs for Go, Node.js, Python and .NET into folders with these names: `go`, `nodejs`, `python`,
 * `dotnet`.
 * @param schema file with the schema of the package, with its version
 */
export async function generateSdks(schema: string, folder: string): Promise<void> {
  for (const generator of generators()) await run(await build(generator), [schema, folder]);
}

/** Returns the path of the program. */
async function build({ file, recipe }: Generator): Promise<string> {
  const source = join(projectRoot(), "tests", "support", "sdks", file);
  const fill = async (folder: string) => {
    const scratch = await mkdtemp(join(tmpdir(), "kubewright-sdks-"));
    try {
      await prepareScratch(recipe, scratch, signal);
      await copyFile(source, join(scratch, "main.go"));
      const output = { ...controllerPlatform(), path: join(folder, "generate") };
      await goBuild({ ...recipe, packages: { generate: "." } }, "generate", scratch, output, signal);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };
  const key = `pulumi-sdks-${recipe.version}-${recipeHash([recipe, await readFile(source, "utf8")])}`;
  const label = `Pulumi's generator of SDKs ${recipe.version}`;
  return join((await new Cache().obtain({ key, label, progress, signal, fill })).dir, "generate");
}
