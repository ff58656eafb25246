import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { projectRoot } from "../../common/project-root";

export interface Page {
  /** Relative to the project's folder. */
  path: string;
  text: string;
}

/** A relative link of a page: the file, relative to the project's folder, and the heading's anchor. */
export interface Link {
  file: string;
  anchor: string | undefined;
}

/** Returns the README, the pages of docs/ and the README of examples/. */
export function readPages(): Page[] {
  const docs = readdirSync(join(projectRoot(), "docs")).filter((name) => name.endsWith(".md"));
  const paths = ["README.md", join("examples", "README.md"), ...docs.map((name) => join("docs", name))];
  return paths.map((path) => ({ path, text: readFileSync(join(projectRoot(), path), "utf8") }));
}

/** Returns the relative links outside code. Links to other sites are left out. */
export function relativeLinks({ path, text }: Page): Link[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", anchor] = target.split("#");
      return { file: file === "" ? path : normalize(join(dirname(path), file)), anchor };
    });
}

/** Returns the anchors of a page's headings, as GitHub makes them. */
export function anchors(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns the content of the fenced blocks of a language. */
export function fencedBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)]
    .filter(([, , tag]) => tag === language)
    .map(([, indent = "", , content = ""]) => content.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

function withoutFences(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
}

function withoutCode(text: string): string {
  return withoutFences(text).replaceAll(/`[^`\n]*`/g, "");
}
