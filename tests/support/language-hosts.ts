import { chmod, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Cache } from "../../artifacts/cache";
import { buildModule } from "../../artifacts/controller-tools";
import { downloadModule } from "../../artifacts/go";
import { run } from "../../common/process";

/**
 * The hosts of Go, Python and YAML, which a Pulumi that is built from modules lacks. Those of Go and Python are from
 * the last versions whose modules contain them. Python's starts programs with a script of the SDK. The builds take
 * minutes, once.
 */
const SDK = "github.com/pulumi/pulumi/sdk/v3";
const COMMON = { cgo: false, tags: [], ldflags: "" };
const PYTHON = {
  ...{ path: SDK, version: "v3.68.0", sum: "h1:JWn3DGJhzoWL8bNbUdyLSSPeKS2F9mv14/EL9QeVT3w=" },
  packages: { "pulumi-language-python": `${SDK}/python/cmd/pulumi-language-python` },
  ...COMMON,
};
const YAML = {
  ...{ path: "github.com/pulumi/pulumi-yaml", version: "v1.25.0" },
  sum: "h1:fy/AKkIafzwtk/6Bj9KFXGj6uqYWGXY31UmLvhrfjqs=",
  packages: { "pulumi-language-yaml": "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml" },
  ...COMMON,
};
const GO = {
  ...{ path: SDK, version: "v3.61.0", sum: "h1:9TyuMU8IdJiVwtsoMP4U8BqKEArGLKfvC72VEwG3XZ0=" },
  packages: { "pulumi-language-go": `${SDK}/go/pulumi-language-go` },
  ...COMMON,
};
const LAUNCHER = {
  ...{ version: "v3.255.0", sum: "h1:G872L4M1EPW3l60yEc52GgLpFRdXAVf0rn96q3MwDVQ=" },
  file: "python/cmd/pulumi-language-python-exec",
};

const signal = AbortSignal.timeout(1_200_000);
const progress = (message: string) => void process.stdout.write(`    languages │ ${message}\n`);

/** Returns the folder of the hosts of Python and YAML. */
export async function buildLanguageHosts(): Promise<string> {
  const fill = async (folder: string) => {
    for (const module of [PYTHON, YAML]) await buildModule(module, folder, progress, signal);
    const { Dir: source } = await downloadModule(SDK, LAUNCHER.version, LAUNCHER.sum, signal);
    const launcher = join(folder, "pulumi-language-python-exec");
    await copyFile(join(source, LAUNCHER.file), launcher);
    await chmod(launcher, 0o755);
  };
  const key = `pulumi-languages-${PYTHON.version}-${YAML.version}`;
  return (await new Cache().obtain({ key, label: "the hosts of Python and YAML", progress, signal, fill })).dir;
}

/** Returns the folder of the host of Go. */
export async function buildGoHost(): Promise<string> {
  const fill = async (folder: string) => await buildModule(GO, folder, progress, signal);
  const key = `pulumi-language-go-${GO.version}`;
  return (await new Cache().obtain({ key, label: "the host of Go", progress, signal, fill })).dir;
}

/** Creates a virtual environment of Python with Pulumi's package, and returns its folder. */
export async function createVirtualEnvironment(folder: string): Promise<string> {
  const environment = join(folder, "venv");
  await run("python3", ["-m", "venv", environment]);
  await run(join(environment, "bin", "pip"), ["install", "--quiet", "pulumi>=3.150.0,<4"]);
  return environment;
}
