import { describeAge } from "../backup/text";
import { pluralize } from "../terminal/text";
import { formatDuration, formatTime } from "./format";
import { element, type Markup } from "./markup";
import type { Asked, ClusterReport } from "./report-data";

interface Tile {
  value: string;
  detail: string;
  isBad?: boolean;
}

/** The state of the cluster in five short answers. */
export function summaryTiles(report: ClusterReport): Markup[] {
  return [
    tile("Health", healthTile(report)),
    tile("Certificates", certificateTile(report)),
    tile("Backup", backupTile(report)),
    tile("Drift", driftTile(report)),
    tile("Last run", runTile(report)),
  ];
}

function tile(label: string, { value, detail, isBad = false }: Tile): Markup {
  return element(
    "section",
    { class: isBad ? "tile bad" : "tile" },
    element("h2", {}, label),
    element("p", { class: "value" }, value),
    element("p", { class: "muted" }, detail),
  );
}

function asked<T>(answer: Asked<T>, describe: (value: T) => Tile): Tile {
  return "value" in answer ? describe(answer.value) : { value: "Not asked", detail: answer.notAsked };
}

function healthTile({ health }: ClusterReport): Tile {
  return asked(health, ({ healthy, problems, warnings, etcd }) => {
    if (!healthy) return { value: pluralize(problems.length, "problem"), detail: "listed below", isBad: true };
    const detail = [warnings.length > 0 ? pluralize(warnings.length, "warning") : "", etcd ? `etcd: ${etcd}` : ""];
    return { value: "Healthy", detail: detail.filter(Boolean).join("; ") || "no problem was found" };
  });
}

function certificateTile({ certificates }: ClusterReport): Tile {
  return asked(certificates, (all) => {
    const [first] = [...all].sort((one, other) => one.daysLeft - other.daysLeft);
    if (!first) return { value: "None", detail: "no certificate was found" };
    const detail = `${first.name} on ${first.node} expires first, of ${all.length}`;
    const isBad = first.state === "expired" || first.state === "critical";
    return { value: first.daysLeft < 0 ? "Expired" : pluralize(first.daysLeft, "day"), detail, isBad };
  });
}

function backupTile({ backups, time }: ClusterReport): Tile {
  return asked(backups, (status) => {
    if (!status) return { value: "None", detail: "backups are not configured" };
    const { backup, drill, problems } = status;
    const age = (stamp: { time: string }) => `${describeAge(stamp.time, Date.parse(time))} ago`;
    const detail = problems[0] ?? (drill ? `proved by a drill ${age(drill)}` : "no drill");
    return { value: backup ? age(backup) : "None", detail, isBad: problems.length > 0 };
  });
}

function driftTile({ drift }: ClusterReport): Tile {
  return asked(drift, (found) =>
    found.length === 0
      ? { value: "None", detail: "every machine matches" }
      : { value: pluralize(found.length, "resource"), detail: "listed below", isBad: true },
  );
}

function runTile({ run }: ClusterReport): Tile {
  if (!run) return { value: "None", detail: "no run is recorded on this computer" };
  const { duration, outcome, start, spans } = run.timeline;
  const isBad = outcome !== "succeeded";
  const detail = `${formatTime(start)}, ${pluralize(spans.length, "step")}${isBad ? `, ${outcome}` : ""}`;
  return { value: formatDuration(duration), detail, isBad };
}
