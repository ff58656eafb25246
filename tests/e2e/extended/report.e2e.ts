import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mapPicture } from "../../../cli/report/map-svg";
import { reportPage } from "../../../cli/report/page";
import { standaloneSvg } from "../../../cli/report/picture";
import { timelinePicture } from "../../../cli/report/timeline-svg";
import { projectRoot } from "../../../common/project-root";
import { checkPage, chromium, openBrowser, type PageFindings } from "../../support/browser";
import { reportOf } from "../../support/report-data";
import type { Requirement } from "../../support/requirement";
import { expectNoSecrets } from "../../support/secret-search";
import { TestStack } from "../../support/test-stack";

/** `npm run report` and `npm run support`. The screenshots stay in reports/screenshots. */
let browserRequirement: Requirement;
const screenshots = join(projectRoot(), "reports", "screenshots");
const GOOD: PageFindings = { errors: [], violations: [], pictures: [], overflow: 0 };
const SCHEMES = ["light", "dark"] as const;

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-report-"));
  mkdirSync(screenshots, { recursive: true });
  browserRequirement = await chromium();
  if (browserRequirement.met) browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function check(file: string, name: string, scheme: "light" | "dark", width = 1_280): Promise<PageFindings> {
  return await checkPage(browser, file, { scheme, width, screenshot: join(screenshots, `${name}-${scheme}.png`) });
}

describe("pages in Chromium", () => {
  beforeEach(({ skip }) => skip(!browserRequirement.met, browserRequirement.reason));
  const cells = (["small", "large"] as const).flatMap((size) => SCHEMES.map((scheme) => ({ size, scheme })));

  test.each(cells)("the page of a $size cluster on a $scheme screen", async ({ size, scheme }) => {
    const file = join(folder, `${size}.html`);
    writeFileSync(file, reportPage(reportOf(size)));
    expect(await check(file, size, scheme)).toEqual(GOOD);
  });

  test("the page on a narrow screen scrolls only inside of its drawings and tables", async () => {
    const file = join(folder, "narrow.html");
    writeFileSync(file, reportPage(reportOf("large")));
    expect(await check(file, "narrow", "light", 390)).toEqual(GOOD);
  });

  test.each(SCHEMES)("the drawings as files on a %s screen", async (scheme) => {
    const { run, map, ...rest } = reportOf("large");
    const names = map.machines.map(({ name }) => name);
    const pictures = { map: mapPicture({ map, ...rest }), ...(run ? { timeline: timelinePicture(run, names) } : {}) };
    for (const [name, picture] of Object.entries(pictures)) {
      const file = join(folder, `${name}.svg`);
      writeFileSync(file, standaloneSvg(picture));
      expect({ ...(await check(file, name, scheme)), overflow: 0 }, name).toEqual(GOOD);
    }
  });
});

describe("a real cluster", () => {
  const PASSWORD = "planted-password-of-the-backups";
  const stack = new TestStack("e2e-report");
  beforeAll(async () => {
    await stack.down();
    const settings = ["workers.count=1", `backup.repository=${folder}/backups`, `backup.password=${PASSWORD}`];
    const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
    expect(code, text).toBe(0);
  });
  afterAll(async () => {
    await stack.down("--force");
    stack.removeFiles();
  });

  test("the report has the map, the timeline with its critical path, and the results", async () => {
    const file = join(folder, "real.html");
    const { code, text } = await stack.npmRun("report", "--output", file);
    expect(code, text).toBe(0);
    const page = readFileSync(file, "utf8");
    for (const part of ["control-plane-1", "worker-1", "Critical path", "Join worker-1-join", "Every machine matches"])
      expect(page).toContain(part);
    expect(page).not.toContain("Not asked");
    if (browserRequirement.met) for (const scheme of SCHEMES) expect(await check(file, "real", scheme)).toEqual(GOOD);
  });

  test("the archive for a bug report has logs of all nodes, and no secret", async () => {
    const file = join(folder, "support.tar.gz");
    const { code, text } = await stack.npmRun("support", "--output", file);
    expect(code, text).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = execFileSync("tar", ["xzOf", file], { encoding: "utf8", maxBuffer: 2 ** 30 });
    expect(content).toContain("everything was read");
    expect(content).toMatch(/ worker-1 kubelet\[/);
    expect(content).toMatch(/ control-plane-1 etcd: /);
    expectNoSecrets("the archive", [content], [PASSWORD, `test ${stack.name}`, ...keysOf(stack)]);
  });

  test("a report names why a cluster does not answer", async () => {
    const [container = ""] = await stack.containers("control-plane-1");
    execFileSync("docker", ["stop", "-t", "1", container]);
    const file = join(folder, "silent.html");
    const { code, text } = await stack.npmRun("report", "--output", file);
    expect(code, text).toBe(0);
    expect(readFileSync(file, "utf8")).toContain("Not asked");
  });
});

/** The body of the SSH key, and the administrator's key in the kubeconfig. */
function keysOf({ stackFolder }: TestStack): string[] {
  const key = readFileSync(join(stackFolder, "id_ed25519"), "utf8").split("\n")[1] ?? "";
  const kubeconfig = readFileSync(join(stackFolder, "kubeconfig"), "utf8");
  return [key, /client-key-data: (\S+)/.exec(kubeconfig)?.[1] ?? ""].map((text) => text.slice(0, 60));
}
