import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import { clusterSchema } from "../../components/config/schema";
import type { Documentation } from "./documented-type";
import { exampleBlocks, propertyTable, valueText } from "./markdown";
import { type Property, propertiesOf } from "./property";

export const CONFIGURATION_SCHEMA = join(projectRoot(), "components", "config", "schema.ts");

/** All sections of the stack's configuration. */
export function configurationProperties(documentation: Documentation): Property[] {
  return propertiesOf(clusterSchema, documentation.schemaType(CONFIGURATION_SCHEMA, "clusterSchema"));
}

/** The page docs/configuration.md: one heading for each section of the stack's configuration. */
export function configurationPage(documentation: Documentation): string {
  const sections = configurationProperties(documentation);
  const contents = sections.map(
    ({ path, description }) => `- [\`${path}\`](#${anchor(path)}): ${firstSentence(description)}`,
  );
  return [
    "# Configuration reference",
    "<!-- Generated from components/config/schema.ts by `npm run docs:reference`. Change the comments there. -->",
    INTRODUCTION,
    contents.join("\n"),
    ...sections.map(sectionText),
    "",
  ].join("\n\n");
}

const INTRODUCTION = `Set a property with \`pulumi config set --path\`, or with \`--config\`, which also keeps it:

\`\`\`sh
npm start -- --config workers.count=3 --config network.flannel.backend=vxlan
\`\`\`

In the stack's file, \`Pulumi.<stack>.yaml\`, each section below is a key of its own with the prefix \`kubewright:\`:

\`\`\`yaml
config:
  kubewright:kubernetes: { version: 1.36.3 }
  kubewright:workers: { count: 3, labels: { tier: web } }
\`\`\`

Every property is optional unless its default is "required". Unknown properties, wrong types and combinations
that cannot work are refused before anything is changed, with the property's path, the reason and the next step.`;

function sectionText(section: Property): string {
  const { path, description, children, examples } = section;
  return [
    `## ${path}`,
    description,
    children.length > 0 ? propertyTable(children.map(inSection(path)), anchorLink) : valueText(section, anchorLink),
    exampleBlocks(examples, "yaml"),
  ]
    .filter(Boolean)
    .join("\n\n");
}

/** Shows paths relative to their section, whose name is the heading. */
function inSection(section: string): (property: Property) => Property {
  const relative = (property: Property): Property => ({
    ...property,
    path: property.path.slice(section.length + 1),
    children: property.children.map(relative),
  });
  return relative;
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}

const anchorLink = (path: string): string => `#${anchor(path)}`;

/** GitHub's anchor for a heading. A path inside a section leads to the section. */
function anchor(path: string): string {
  return (/^\w+/.exec(path)?.[0] ?? path).toLowerCase();
}
