import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadVersions } from "../../../artifacts/versions";
import { projectRoot } from "../../../common/project-root";
import { fencedBlocks } from "../markdown";

/** Components of the package that have a program on the page in every language. */
export const COMPONENTS = ["ConfiguredCluster", "Cluster"] as const;
export type Component = (typeof COMPONENTS)[number];

/**
 * Returns the program of docs/languages.md that creates a component.
 * @throws Error if the page does not have exactly one
 */
export function documentedProgram(language: string, component: Component): string {
  const page = readFileSync(join(projectRoot(), "docs", "languages.md"), "utf8");
  const creates = new RegExp(`\\b(?:New|new |components\\.)${component}\\(|:components:${component}$`, "m");
  const [program, ...others] = fencedBlocks(page, language).filter((block) => creates.test(block));
  if (program === undefined || others.length > 0)
    throw new Error(`docs/languages.md must have one program in ${language} with ${component}`);
  return program;
}

const GO_SDK = "github.com/kubewright/kubewright/sdk/go";

/** The go.mod of a program that uses an SDK in a folder, as `pulumi package add` writes it. */
export function goModule(sdk: string): string {
  const { version } = loadVersions().pulumi;
  return [
    "module program",
    "go 1.25",
    `require ${GO_SDK} v0.0.0`,
    `require github.com/pulumi/pulumi/sdk/v3 v${version}`,
    `replace ${GO_SDK} => ${sdk}`,
    "",
  ].join("\n");
}

/** The pom.xml of a program in Java. */
export const MAVEN_PROJECT = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>program</groupId><artifactId>program</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
  </properties>
  <dependencies>
    <dependency><groupId>com.pulumi</groupId><artifactId>pulumi</artifactId><version>1.36.1</version></dependency>
  </dependencies>
</project>
`;

/** Returns the names in a program in C# that the SDK lacks: of classes that it creates, and of properties. */
export function unknownNames(program: string, sdk: string): string[] {
  const sources = readdirSync(sdk, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cs"));
  const text = sources.map((name) => readFileSync(join(sdk, name), "utf8")).join("\n");
  const declared = new Set([...text.matchAll(/^ *public [^\n({=]*?(\w+)(?: {|$|\(| :)/gm)].map(([, name]) => name));
  const classes = [...program.matchAll(/\bnew (\w+)\b(?![.<])/g)].map(([, name = ""]) => name);
  const properties = [...program.matchAll(/\b([A-Z]\w*) =\s/g)].map(([, name = ""]) => name);
  return [...classes, ...properties].filter((name) => !declared.has(name));
}
