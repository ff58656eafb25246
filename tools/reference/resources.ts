import { connectionSchema } from "../../contracts/connection";
import { drainSchema } from "../../contracts/drain";
import { textFileSchema } from "../../contracts/files";
import { healthSchema } from "../../contracts/health";
import { type DeclaredContract, contractGroups, contractModule } from "./contracts";
import type { Documentation } from "./documented-type";
import { outputTable, propertyTable } from "./markdown";
import { type Property, propertiesOf } from "./property";

/** Schemas that several resources share, each described once under a heading of its own. */
const SHARED = [
  { title: "Connection", file: contractModule("connection"), name: "connectionSchema", schema: connectionSchema },
  { title: "Text file", file: contractModule("files"), name: "textFileSchema", schema: textFileSchema },
  { title: "Health", file: contractModule("health"), name: "healthSchema", schema: healthSchema },
  { title: "Drain", file: contractModule("drain"), name: "drainSchema", schema: drainSchema },
] as const;

const TITLES = new Map(SHARED.map(({ schema, title }) => [schema, title]));

/** Modules whose comments describe the resources. */
export const CONTRACT_MODULES: readonly string[] = [
  ...SHARED.map(({ file }) => file),
  ...contractGroups().flatMap(([, contracts]) => contracts.map(({ file }) => file)),
];

/** Inputs and outputs of a contract. */
export function contractProperties(
  documentation: Documentation,
  { file, name, contract }: DeclaredContract,
): { inputs: Property[]; outputs: Property[] } {
  const properties = (part: "inputs" | "outputs") =>
    propertiesOf(contract[part], documentation.schemaType(file, name, [part]), "", TITLES);
  return { inputs: properties("inputs"), outputs: properties("outputs") };
}

/** The page docs/resources.md: one heading for each resource. */
export function resourcesPage(documentation: Documentation): string {
  const groups = contractGroups();
  return [
    "# Resources",
    "<!-- Generated from contracts/ by `npm run docs:reference`. Change the comments there. -->",
    INTRODUCTION,
    [...groups.map(contentsOf), contentsOfShared()].join("\n"),
    ...groups.flatMap(([heading, contracts]) => [
      `## ${heading}`,
      ...contracts.map((declared) => contractText(documentation, declared)),
    ]),
    "## Shared properties",
    ...SHARED.map(({ title, file, name, schema }) =>
      [
        `### ${title}`,
        documentation.declaration(file, name).description,
        propertyTable(propertiesOf(schema, documentation.schemaType(file, name)), sharedLink),
      ].join("\n\n"),
    ),
    "",
  ].join("\n\n");
}

const INTRODUCTION = `All resources of the provider, with their inputs and outputs. Every input of a resource is also
one of its outputs. The name of a resource is its type token without the prefix \`kubewright:\`, as in URNs and in the
output of \`pulumi stack\`. A property that is marked as secret is encrypted in the state.

Most programs need the component \`Cluster\` only: see [Use Kubewright as a library](library.md).
[What a refresh compares](architecture.md#resources) is in the overview of the architecture.`;

function contractText(documentation: Documentation, declared: DeclaredContract): string {
  const { inputs, outputs } = contractProperties(documentation, declared);
  return [
    `### ${titleOf(declared)}`,
    documentation.declaration(declared.file, declared.name).description,
    inputs.length === 0 ? "No inputs." : `Inputs:\n\n${propertyTable(inputs, sharedLink)}`,
    outputs.length === 0 ? "No further outputs." : `Outputs:\n\n${outputTable(outputs, sharedLink)}`,
  ].join("\n\n");
}

function contentsOf([heading, contracts]: [string, DeclaredContract[]]): string {
  const links = contracts.map(titleOf).map((title) => `[\`${title}\`](#${anchor(title)})`);
  return `- ${heading}: ${links.join(", ")}`;
}

function contentsOfShared(): string {
  return `- Shared properties: ${SHARED.map(({ title }) => `[${title}](#${anchor(title)})`).join(", ")}`;
}

function titleOf({ contract }: DeclaredContract): string {
  return contract.type.slice("kubewright:".length);
}

function sharedLink(path: string): string {
  return SHARED.some(({ title }) => title === path) ? `#${anchor(path)}` : "";
}

/** GitHub's anchor for a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-").replaceAll(":", "");
}
