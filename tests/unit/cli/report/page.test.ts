import { join } from "node:path";
import { expect, test } from "vitest";
import { mapPicture } from "../../../../cli/report/map-svg";
import { reportPage } from "../../../../cli/report/page";
import { standaloneSvg } from "../../../../cli/report/picture";
import type { ClusterReport } from "../../../../cli/report/report-data";
import { timelinePicture } from "../../../../cli/report/timeline-svg";
import { projectRoot } from "../../../../common/project-root";
import { reportOf } from "../../../support/report-data";

const golden = (name: string) => join(projectRoot(), "tests", "golden", "report", name);
/** One element a line, so that a difference can be read. */
const readable = (markup: string) => markup.replaceAll(/(?<=>)(?=<(?!\/))/g, "\n");
const timelineOf = ({ run, map }: ClusterReport) =>
  run &&
  timelinePicture(
    run,
    map.machines.map(({ name }) => name),
  );
const svgOf = (picture: ReturnType<typeof timelineOf>) => readable(standaloneSvg(picture ?? mapPicture(small)));
const small = reportOf("small");
const large = reportOf("large");

test("the page of a small cluster", async () => {
  await expect(readable(reportPage(small))).toMatchFileSnapshot(golden("small.html"));
});

test("the drawings of a large cluster", async () => {
  await expect(readable(standaloneSvg(mapPicture(large)))).toMatchFileSnapshot(golden("large-map.svg"));
  await expect(svgOf(timelineOf(large))).toMatchFileSnapshot(golden("large-timeline.svg"));
});

test("a cluster that was not asked for anything", () => {
  const notAsked = { notAsked: "the cluster did not answer", error: "SSH connection failed on control-plane-1" };
  const { run: _, ...rest } = small;
  const page = reportPage({
    ...rest,
    ...{ health: notAsked, nodes: notAsked, certificates: notAsked, backups: notAsked, drift: notAsked },
  });
  expect(page.match(/Not asked/g)).toHaveLength(7);
  expect(page.match(/SSH connection failed/g)).toHaveLength(1);
  expect(page).toContain("No run that changed the cluster is recorded on this computer.");
  expect(page).toContain("not asked"); // on the machines of the map
  expect(page).toContain("control-plane-1");
});

test("texts of machines cannot become markup", () => {
  const page = reportPage({
    ...large,
    stack: `<script>alert("1")</script>`,
    health: { value: { healthy: false, problems: ["<img src=x onerror=y>"], warnings: [] } },
  });
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain("&lt;img src=x onerror=y&gt;");
});

test("nothing is loaded, and no script runs", () => {
  for (const text of [reportPage(large), standaloneSvg(mapPicture(large)), svgOf(timelineOf(large))]) {
    expect(text).not.toMatch(/<script|<link|<iframe|<object|url\(|@import|\ssrc=|\shref=/);
    expect(text.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
  }
});

test("texts of the map stay inside of the cards", () => {
  const name = "a-machine-with-a-name-that-is-much-longer-than-a-card";
  const map = { ...small.map, machines: small.map.machines.map((machine) => ({ ...machine, name })) };
  expect(standaloneSvg(mapPicture({ ...small, map }))).toMatch(/>a-machine-wit[^<]{0,4}…<\/text>/);
});
