import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../../common/process";

/** Returns why programs in a language cannot run here; undefined if they can. */
export async function missingForLanguage(language: string, path: string): Promise<string | undefined> {
  const host = `pulumi-language-${language === "typescript" ? "nodejs" : language}`;
  if (!path.split(delimiter).some((folder) => existsSync(join(folder, host)))) return `${host} is not on PATH`;
  if (language !== "python") return undefined;
  const { exitCode } = await run("python3", ["-c", "import pulumi"], { env: { PATH: path }, reject: false });
  return exitCode === 0 ? undefined : "python3 has no package pulumi (pip install pulumi)";
}
