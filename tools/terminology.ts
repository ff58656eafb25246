import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";

/** A phrase that documentation avoids, and what to write instead. Single words are `flagWords` in cspell.yaml. */
interface Term {
  pattern: RegExp;
  write: string;
}

/** A space in a phrase also matches a line break with its comment marker. */
const term = (phrase: string, write: string): Term => ({
  pattern: new RegExp(`(?<![\\w-])(?:${phrase.replaceAll(" ", "(?:[ \\t]+|\\s*\\n[\\s*/#]*)")})(?![\\w-])`, "gi"),
  write,
});

const TERMS: readonly Term[] = [
  term("let(?:s|ting)? go of", "remove, release"),
  term("go(?:es)? with it", "is deleted together with"),
  term("stands? in for|standing in for|stands?-ins?", "replace, mock, without the controller manager"),
  term("by hand|hand-?made", "manually"),
  term("of its own accord", "automatically"),
  term("at once", "immediately, or in parallel"),
  term("what it holds|what is no|given back as it is", "name the subject"),
  term(
    "(?<!there )is no (?:such|number|node|rung|place|name|word|pool|file|folder|version|address)",
    "must be a ..., there is no ...",
  ),
  term("that is none", "name the subject"),
  term("who(?:ever)? (?:asked|asks|waits|comes|made|lists)", "the caller, the user"),
  term("(?:has|have|had|is|are) the last word", "decides, takes precedence"),
  term("the way (?:in|into|back|to (?:it|the|a) ?(?:machine|host|node)?)", "SSH route, connection"),
  term("in the way", "conflicts, blocks"),
  term("(?:the )?words? of", "message, output"),
  term("is there already|are there already", "already exists"),
  term("say(?:s|ing)? so", "report, print an error"),
  term("no more than that|and nothing else", "only"),
];

/** A sentence that starts with "Who" and is not a question lacks a subject. */
const HEADLESS: Term = { pattern: /(?<=^|[.:;] |\* |\/\/ )Who (?=\w+ )(?![^.\n]*\?)/gm, write: "name the subject" };

export interface Finding {
  line: number;
  phrase: string;
  write: string;
}

/** Returns the avoided phrases of a text, in their order. */
export function findTerms(text: string): Finding[] {
  return [...TERMS, HEADLESS]
    .flatMap(({ pattern, write }) =>
      [...text.matchAll(pattern)].map(({ 0: phrase, index }) => ({
        line: text.slice(0, index).split("\n").length,
        phrase: phrase.replace(/[\s*/#]+/g, " ").trim(),
        write,
      })),
    )
    .sort((a, b) => a.line - b.line);
}

const CHECKED = /\.(?:ts|cjs|mjs|mts|js|md|sh|yaml)$|^bin\//;
const EXCLUDED = /^tests\/golden\/|^tools\/terminology\.ts$|^tests\/unit\/tools\/terminology\.test\.ts$/;

/** Checks the files that Git tracks and returns one line per finding. */
export function checkTerminology(root = projectRoot()): string[] {
  const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  return execFileSync("git", listing, { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((file) => CHECKED.test(file) && !EXCLUDED.test(file) && existsSync(join(root, file)))
    .flatMap((file) => findTerms(readFileSync(join(root, file), "utf8")).map((found) => render(file, found)));
}

const render = (file: string, { line, phrase, write }: Finding) => `${file}:${line}: "${phrase}" (write: ${write})`;
