import { template } from "../../render/template";
import { stackCommand } from "../terminal/options";
import { formatDuration, formatTime } from "./format";
import { mapPicture } from "./map-svg";
import { element, raw, type Markup } from "./markup";
import { paletteStyle } from "./palette";
import { inlineSvg, pictureStyle, type Picture } from "./picture";
import { answerOf, type ClusterReport, type RunReport } from "./report-data";
import { summaryTiles } from "./summary";
import { certificateRows, criticalRows, dataTable, driftRows, nodeRows } from "./tables";
import { timelinePicture } from "./timeline-svg";

/** No script runs, and nothing is loaded: the page works without a network, and cannot send anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Returns the report as one HTML file that needs no other file. */
export function reportPage(report: ClusterReport): string {
  const title = `Cluster ${report.stack}`;
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: POLICY }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("title", {}, `${title}: report`),
    element("style", {}, raw(`${paletteStyle()}${pictureStyle()}${template("report/page.css")}`)),
  );
  const body = element("body", {}, element("main", {}, header(title, report), ...sections(report)));
  return `<!doctype html>\n${element("html", { lang: "en" }, head, body).markup}\n`;
}

function header(title: string, { time, version }: ClusterReport): Markup {
  const facts = [version ? `Kubernetes ${version}` : "", `written ${formatTime(time)}`].filter(Boolean);
  return element("header", {}, element("h1", {}, title), element("p", { class: "muted" }, facts.join(" · ")));
}

function sections(report: ClusterReport): Markup[] {
  return [
    element("div", { class: "tiles" }, summaryTiles(report)),
    ...healthSection(report),
    section("Map", "What the cluster consists of, and what talks to what.", figure(mapPicture(report), "map")),
    report.run ? runSection(report.run, machineNames(report)) : noRunSection(),
    nodeSection(report),
    certificateSection(report),
    driftSection(report),
  ];
}

function machineNames({ map }: ClusterReport): string[] {
  return map.machines.map(({ name }) => name);
}

function section(title: string, explanation: string, ...content: readonly (Markup | undefined)[]): Markup {
  return element("section", {}, element("h2", {}, title), element("p", { class: "muted" }, explanation), content);
}

/** Wide drawings scroll on a narrow screen. */
function figure(picture: Picture, id: string): Markup {
  return element("figure", { tabindex: 0, "aria-label": picture.title }, inlineSvg(picture, id));
}

function healthSection({ health, drift }: ClusterReport): Markup[] {
  const { problems = [], warnings = [] } = answerOf(health) ?? {};
  const errors = new Set([health, drift].flatMap((answer) => ("error" in answer ? (answer.error ?? []) : [])));
  if (problems.length + warnings.length + errors.size === 0) return [];
  const items = [
    ...[...errors].map((text) => element("li", { class: "problem" }, text)),
    ...problems.map((text) => element("li", { class: "problem" }, text)),
    ...warnings.map((text) => element("li", {}, text)),
  ];
  return [section("Problems", "What an operator should look into.", element("ul", {}, items))];
}

const RUN_TITLES = { creation: "Last run: the cluster was created", update: "Last run: update" } as const;

function runSection(run: RunReport, machines: readonly string[]): Markup {
  const { timeline, criticalPath } = run;
  const { kind, from = "", to = "", outcome, start, duration } = timeline;
  const title = kind === "upgrade" ? `Last run: upgrade from ${from} to ${to}` : RUN_TITLES[kind];
  const end = outcome === "succeeded" ? "" : `, ${outcome}`;
  const facts = `${formatTime(start)}, ${formatDuration(duration)}${end}`;
  const text = `${facts}. The critical path decided how long the run took.`;
  return section(
    title,
    text,
    figure(timelinePicture(run, machines), "timeline"),
    dataTable(
      "Critical path",
      ["Step", "Machine", "Begin", { number: "Waited" }, { number: "Duration" }],
      criticalRows(criticalPath),
    ),
  );
}

function noRunSection(): Markup {
  return section("Last run", "No run that changed the cluster is recorded on this computer.");
}

function nodeSection({ nodes }: ClusterReport): Markup {
  if ("notAsked" in nodes) return section("Nodes", `Not asked: ${nodes.notAsked}.`);
  const columns = ["Node", "Pool", "Kubelet", "Container runtime", "Status", { number: "Pods" }];
  return section("Nodes", "As the API server reports them.", dataTable("Nodes", columns, nodeRows(nodes.value)));
}

function certificateSection({ certificates, stack }: ClusterReport): Markup {
  if ("notAsked" in certificates) return section("Certificates", `Not asked: ${certificates.notAsked}.`);
  const columns = ["Certificate", "Node", "Kind", "Expires", { number: "Days left" }];
  return section(
    "Certificates",
    `Read on every machine. ${stackCommand("up", stack)} renews them from 30 days before their end on.`,
    dataTable("Certificates", columns, certificateRows(certificates.value)),
  );
}

function driftSection({ drift }: ClusterReport): Markup {
  if ("notAsked" in drift) return section("Drift", `Not asked: ${drift.notAsked}.`);
  if (drift.value.length === 0) return section("Drift", "Every machine matches the configuration.");
  return section(
    "Drift",
    "Where machines differ from the configuration.",
    dataTable("Drift", ["Machine", "Resource", "Difference"], driftRows(drift.value)),
  );
}
