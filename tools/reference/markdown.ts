import type { Property } from "./property";

/**
 * Renders properties, and those inside them, as one Markdown table.
 *
 * @param link Link target of a property that is described elsewhere on the page, by its path.
 */
export function propertyTable(properties: readonly Property[], link = (_path: string) => ""): string {
  const rows = flatten(properties).map((property) =>
    [`\`${property.path}\``, property.type, defaultText(property), descriptionText(property, link)].map(cell),
  );
  return table([["Property", "Type", "Default", "Description"], ["---", "---", "---", "---"], ...rows]);
}

function table(rows: readonly string[][]): string {
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Renders the outputs of a resource, which have no defaults. */
export function outputTable(properties: readonly Property[], link = (_path: string) => ""): string {
  const rows = flatten(properties).map((property) =>
    [`\`${property.path}\``, property.type, descriptionText(property, link)].map(cell),
  );
  return table([["Property", "Type", "Description"], ["---", "---", "---"], ...rows]);
}

/** Type, default and shared properties of one property, as a paragraph. */
export function valueText(property: Property, link = (_path: string) => ""): string {
  const value = defaultText(property);
  const shared = descriptionText({ ...property, description: "", secret: false }, link);
  return [`Type: ${property.type}.`, value === "" ? "" : `Default: ${value}.`, shared].filter(Boolean).join(" ");
}

/** The `@example` tags of a property as code blocks. A tag that has a code block of its own stays as it is. */
export function exampleBlocks(examples: readonly string[], language: string): string {
  return examples
    .map((example) => (example.includes("```") ? example : `\`\`\`${language}\n${example}\n\`\`\``))
    .join("\n\n");
}

function flatten(properties: readonly Property[]): Property[] {
  return properties.flatMap((property) => [property, ...flatten(property.children)]);
}

function defaultText({ required, default: value }: Property): string {
  if (required) return "required";
  if (value === undefined) return "";
  return isJson(value) ? `\`${value.replaceAll('"', "")}\`` : value;
}

function descriptionText({ description, secret, sameAs }: Property, link: (path: string) => string): string {
  const target = sameAs === undefined ? "" : link(sameAs);
  const same = target === "" ? `\`${sameAs ?? ""}\`` : `[\`${sameAs ?? ""}\`](${target})`;
  return [description, secret ? "Secret." : "", sameAs === undefined ? "" : `Properties: those of ${same}.`]
    .filter(Boolean)
    .join(" ");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
