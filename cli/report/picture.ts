import { template } from "../../render/template";
import { element, raw, type Markup } from "./markup";
import { paletteStyle } from "./palette";

/** A drawing. It can be part of a page or a file of its own. */
export interface Picture {
  width: number;
  height: number;
  /** Name for screen readers. */
  title: string;
  /** What the drawing shows, for screen readers. */
  description: string;
  content: readonly Markup[];
}

/** Width of all drawings. */
export const PICTURE_WIDTH = 1040;

/** Returns the drawing for a page, which has the styles. @param id of the element; unique in the page */
export function inlineSvg(picture: Picture, id: string): Markup {
  return svg(picture, id, []);
}

/** Returns the drawing as a file of its own. */
export function standaloneSvg(picture: Picture): string {
  const { width, height } = picture;
  const background = [
    element("style", {}, raw(`${paletteStyle()}${pictureStyle()}`)),
    element("rect", { class: "background", width, height, rx: 12 }),
  ];
  return `${svg(picture, "picture", background).markup}\n`;
}

/** Style sheet of the drawings, without the colors. */
export function pictureStyle(): string {
  return template("report/picture.css").trim();
}

function svg({ width, height, title, description, content }: Picture, id: string, before: readonly Markup[]): Markup {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${Math.ceil(height)}`,
      width,
      height: Math.ceil(height),
      role: "img",
      class: "picture",
      "aria-labelledby": `${id}-title ${id}-description`,
    },
    element("title", { id: `${id}-title` }, title),
    element("desc", { id: `${id}-description` }, description),
    before,
    content,
  );
}

export interface TextOptions {
  x: number;
  y: number;
  /** Classes: `muted`, `strong`, `small`, `accent`, `on-accent` and so on. */
  class?: string;
  anchor?: "start" | "middle" | "end";
}

/** Returns a line of text. `y` is its baseline. */
export function textAt(content: string, { x, y, class: name, anchor }: TextOptions): Markup {
  return element("text", { x, y, class: name, "text-anchor": anchor === "start" ? undefined : anchor }, content);
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function rectangle({ x, y, width, height }: Box, name: string, rx: number, tip?: string): Markup {
  const title = tip === undefined ? undefined : element("title", {}, tip);
  return element("rect", { x, y, width, height, rx, class: name }, title);
}

export function polyline(points: readonly (readonly [number, number])[], name: string): Markup {
  return element("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" "), class: name });
}
