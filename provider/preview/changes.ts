import { type Difference, differencesOf } from "./differences";
import { listed, namedPath } from "./disruptions";
import { componentOf, whyOf } from "./machine-outcome";
import { labelOfStep, type Step } from "./step";
import { sayingOf } from "./messages";

/** What we only remember, or look at again. */
const SILENT = ["Roster", "Preflight"];

/** What becomes of one thing on a machine or in the cluster, in the words of an operator; a diff of text is several lines. */
export function changesOf(step: Step): string[] {
  const { op, kind } = step;
  if (SILENT.includes(kind)) return [];
  if (op === "create") return [WHOLE_THINGS[kind]?.made(step) ?? `${labelOfStep(step)} is made`];
  if (op === "delete")
    return kind === "Artifacts" ? [] : [WHOLE_THINGS[kind]?.removed(step) ?? `${labelOfStep(step)} is removed`];
  if (op === "replace") return [`${labelOfStep(step)} is made anew, because ${whyOf(step)}`];
  const differences = differencesOf(step);
  return [
    ...differences.filter(({ of }) => of !== "cause").map((one) => said(step, one)),
    ...restartsOf(step, differences),
  ];
}

function said(step: Step, difference: Difference): string {
  if (difference.of !== "property") return sayingOf(difference, "coming");
  const path = namedPath(step, difference.path);
  return `${path === difference.path ? `${labelOfStep(step)}: ` : ""}${sayingOf({ ...difference, path }, "coming")}`;
}

const WHOLE_THINGS: Readonly<Record<string, { made: (step: Step) => string; removed: (step: Step) => string }>> = {
  Unit: {
    made: ({ wanted }) => `${String(wanted.unit)} is installed and started`,
    removed: ({ found }) => `${String(found.unit)} is stopped and removed`,
  },
  StaticPod: {
    made: (step) => `the pod ${componentOf(step) ?? step.name} is started`,
    removed: (step) => `the pod ${componentOf(step) ?? step.name} is stopped and removed`,
  },
  Files: {
    made: ({ wanted }) => `${paths(wanted.files)} written`,
    removed: ({ found }) => `${paths(found.files)} removed`,
  },
  Binaries: {
    made: ({ wanted }) => `${paths(wanted.files)} copied`,
    removed: ({ found }) => `${paths(found.files)} removed`,
  },
  Images: { made: () => "its images are loaded", removed: () => "its images are removed" },
  Node: {
    made: ({ wanted }) => `${String(wanted.node)} becomes Ready, with its labels and taints`,
    removed: ({ found }) => `${String(found.node)} is drained and leaves`,
  },
  Artifacts: {
    made: ({ wanted }) =>
      `binaries and images of Kubernetes ${String(wanted.kubernetes)} are taken from the cache, else fetched or built`,
    removed: () => "",
  },
};

function paths(files: unknown): string {
  const names = typeof files === "object" && files !== null ? Object.keys(files) : [];
  return names.length === 0 ? "its files are" : `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

/** A unit is started anew for its files, for what it is told to watch, and where it was found not to run as it should. */
export function restartsOf(step: Step, differences: readonly Difference[]): string[] {
  const { kind, wanted, name } = step;
  const pod = kind === "StaticPod";
  if (!pod && (kind !== "Unit" || wanted.running !== true)) return [];
  const causes = differences.flatMap((one) => (one.of === "cause" ? [one.cause] : []));
  const reasons = [
    ...(differences.some(({ of }) => of === "file") ? ["its files change"] : []),
    ...(pod && differences.some((one) => one.of === "property" && one.path.startsWith("manifest"))
      ? ["its manifest changes"]
      : []),
    ...causes.map((cause) => `${cause === "binary" ? "its program" : cause} is another`),
    ...differences.flatMap((one) => (one.of === "trouble" ? [`it is ${one.trouble}`] : [])),
    ...differences.flatMap((one) =>
      one.of === "property" && one.path in wanted && /^(files|restartOn)$/.test(one.path)
        ? [`its ${one.path === "files" ? "files" : "program"} may be another`]
        : [],
    ),
  ];
  const what = pod ? `the pod ${componentOf(step) ?? name}` : String(wanted.unit);
  return reasons.length === 0 ? [] : [`${what} restarts, because ${listed(reasons)}`];
}
