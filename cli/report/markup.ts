/** A piece of HTML or SVG. Texts are escaped when they become part of it. */
export interface Markup {
  readonly markup: string;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;
type Child = Markup | string | undefined | readonly (Markup | undefined)[];

/** HTML elements without an end tag. */
const VOID = ["meta"];

/** Returns an element. Attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, ...children: readonly Child[]): Markup {
  const pairs = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escape(typeof value === "number" ? String(round(value)) : value)}"`],
  );
  const start = `<${name}${pairs.join("")}>`;
  return { markup: VOID.includes(name) ? start : `${start}${children.map(markupOf).join("")}</${name}>` };
}

/** Returns text that is markup already, such as a style sheet of this project. */
export function raw(markup: string): Markup {
  return { markup };
}

function markupOf(child: Child): string {
  if (child === undefined) return "";
  if (typeof child === "string") return escape(child);
  if ("markup" in child) return child.markup;
  return child.map((one) => one?.markup ?? "").join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text: string): string {
  // Control characters are not allowed in XML.
  return text.replace(/[\0-\x08\v\f\x0e-\x1f]/g, "").replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
