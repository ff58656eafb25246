import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer-core";
import { projectRoot } from "../../common/project-root";
import { requirement, type Requirement } from "./requirement";

const EXECUTABLE = "/usr/bin/chromium";

/** Chromium, which is installed where Debian's packages can be. */
export async function chromium(): Promise<Requirement> {
  return await requirement("Chromium", () => existsSync(EXECUTABLE), ["chromium", "fonts-dejavu-core"]);
}

export async function openBrowser(): Promise<Browser> {
  const { launch } = await import("puppeteer-core");
  // The sandbox of Chromium does not start as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await launch({ executablePath: EXECUTABLE, args });
}

export type Scheme = "light" | "dark";

/** How a page looks and behaves. Each list is empty for a good page. */
export interface PageFindings {
  /** Messages on the console, errors of scripts, and requests other than for the page. */
  errors: string[];
  /** Violations that axe-core finds: missing names, contrast, headings and so on. */
  violations: string[];
  /** Texts of drawings that cannot be read: see picture-problems.cjs. */
  pictures: string[];
  /** Pixels by which the page is wider than the window. */
  overflow: number;
}

/** Opens a file, checks it, and keeps a screenshot of the whole page. */
export async function checkPage(
  browser: Browser,
  file: string,
  { scheme, width, screenshot }: { scheme: Scheme; width: number; screenshot: string },
): Promise<PageFindings> {
  const page = await browser.newPage();
  const url = pathToFileURL(file).href;
  const errors = collectErrors(page, url);
  try {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(url);
    await page.screenshot({ path: screenshot, fullPage: true });
    return {
      errors,
      violations: file.endsWith(".svg") ? [] : await violationsOf(page),
      pictures: (await page.evaluate(readFileSync(join(__dirname, "picture-problems.cjs"), "utf8"))) as string[],
      overflow: (await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) as number,
    };
  } finally {
    await page.close();
  }
}

function collectErrors(page: Page, url: string): string[] {
  const errors: string[] = [];
  page.on("console", (message) => errors.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => request.url() === url || errors.push(`request: ${request.url()}`));
  return errors;
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}

async function violationsOf(page: Page): Promise<string[]> {
  const source = createRequire(join(projectRoot(), "package.json")).resolve("axe-core/axe.min.js");
  await page.evaluate(readFileSync(source, "utf8"));
  const { violations } = (await page.evaluate("axe.run()")) as { violations: Violation[] };
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html ?? ""}`);
}
