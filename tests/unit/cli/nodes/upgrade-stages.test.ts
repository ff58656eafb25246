import { describe, expect, test } from "vitest";
import { upgradeStages, type StageFacts } from "../../../../cli/nodes/upgrade-stages";
import type { PlannedSurge } from "../../../../cli/nodes/upgrade-surge";
import { parseConfig, poolMachineNames, poolsOf } from "../../../../components/config";

const SURGE: PlannedSurge = {
  ...{ machines: ["worker-3"], isRecorded: false, areJoined: false },
  ...{ nodes: ["worker-1", "worker-2"], done: [] },
};

function stagesOf(surge?: Partial<PlannedSurge>, changes: Partial<StageFacts> = {}, versions = {}) {
  const pools = [
    { name: "workers", nodes: [], oldest: "1.35.4", versions, ...(surge ? { surge: { ...SURGE, ...surge } } : {}) },
    { name: "gpu", nodes: [], oldest: "1.35.4" },
  ];
  return upgradeStages({ chain: ["1.36.3"], pools, change: {}, canaries: [], ...changes });
}

const titlesOf = (stages: ReturnType<typeof stagesOf>) => stages.map(({ title }) => title);

test("without additional machines there is one stage for each version", () => {
  const change = { "kubernetes.soak": 60 };
  expect(stagesOf(undefined, { chain: ["1.35.4", "1.36.3"], change })).toEqual([
    { title: "Changing to 1.35.4", remove: [], set: { "kubernetes.version": "1.35.4", ...change } },
    { title: "Changing to 1.36.3", remove: [], set: { "kubernetes.version": "1.36.3", ...change } },
  ]);
});

test("a pause that the upgrade ends is removed with its first change", () => {
  const ended = ["kubernetes.hold", "kubernetes.canary"];
  const removedBy = (stages: ReturnType<typeof stagesOf>) => stages.map(({ remove }) => remove);
  expect(removedBy(stagesOf(undefined, { chain: ["1.35.4", "1.36.3"], ended }))).toEqual([ended, []]);
  expect(removedBy(stagesOf({ isRecorded: true, areJoined: true }, { ended }))[0]?.slice(0, 2)).toEqual(ended);
  expect(stagesOf(undefined, { chain: [], ended })).toEqual([]);
});

describe("additional machines", () => {
  test("join once the control planes have the version, before their pool changes, and then leave", () => {
    const version = { "kubernetes.version": "1.36.3" };
    const held = { ...version, "kubernetes.hold.workers": "1.35.4" };
    const canary = { "kubernetes.canary[0]": "worker-3" };
    expect(stagesOf({})).toEqual([
      { title: "Changing to 1.36.3, without pool workers", remove: ["kubernetes.canary"], set: held },
      {
        title: "Joining worker-3",
        remove: ["kubernetes.canary"],
        set: { ...held, "kubernetes.additional.workers": 1, ...canary },
      },
      {
        title: "Changing to 1.36.3",
        remove: ["kubernetes.canary", "kubernetes.hold.workers"],
        set: { ...version, ...canary },
      },
      {
        title: "Removing worker-3",
        remove: ["kubernetes.canary", "kubernetes.canaryAfter", "kubernetes.additional.workers"],
        set: {},
      },
    ]);
  });

  test("join while each node of their pool stays on its own version", () => {
    const versions = { "worker-1": "1.35.4", "worker-2": "1.35.6", "worker-3": "1.36.3", "worker-4": "1.36.3" };
    const stages = stagesOf({ done: ["worker-4"] }, {}, versions);
    const own = 'kubernetes.hold["worker-2"]';
    expect(stages.map(({ set }) => set[own])).toEqual(["1.35.6", "1.35.6", undefined, undefined]);
    expect(stages.map(({ remove }) => remove.includes(own))).toEqual([false, false, true, false]);
    expect(stages.flatMap(({ set }) => Object.keys(set).filter((path) => path.includes('"')))).toEqual([own, own]);
  });

  test("stay for all versions of a chain", () => {
    expect(titlesOf(stagesOf({}, { chain: ["1.35.4", "1.36.3"] }))).toEqual([
      "Changing to 1.35.4, without pool workers",
      "Joining worker-3",
      "Changing to 1.35.4",
      "Changing to 1.36.3",
      "Removing worker-3",
    ]);
  });

  test("of an interrupted upgrade are used", () => {
    expect(titlesOf(stagesOf({ isRecorded: true }))).toEqual([
      "Joining worker-3",
      "Changing to 1.36.3",
      "Removing worker-3",
    ]);
    const joined = { isRecorded: true, areJoined: true };
    expect(titlesOf(stagesOf(joined))).toEqual(["Changing to 1.36.3", "Removing worker-3"]);
    expect(titlesOf(stagesOf(joined, { chain: [] }))).toEqual(["Removing worker-3"]);
  });

  test("are not created for a pool that the upgrade leaves on its version", () => {
    const change = { "kubernetes.hold.workers": "1.35.4" };
    expect(stagesOf({}, { change })).toEqual([
      { title: "Changing to 1.36.3", remove: [], set: { "kubernetes.version": "1.36.3", ...change } },
    ]);
  });

  test("stay where the upgrade pauses within their pool", () => {
    const change = { "kubernetes.hold.workers": "1.35.4", "kubernetes.canary[0]": "worker-1" };
    const stages = stagesOf({}, { change });
    expect(titlesOf(stages)).toEqual([
      "Changing to 1.36.3, without pool workers",
      "Joining worker-3",
      "Changing to 1.36.3",
    ]);
    expect(stages[0]?.set).not.toHaveProperty("kubernetes.canary[0]");
    expect(stages[2]?.set).toEqual({
      "kubernetes.version": "1.36.3",
      "kubernetes.hold.workers": "1.35.4",
      "kubernetes.canary[0]": "worker-3",
      "kubernetes.canary[1]": "worker-1",
    });
  });

  test("join while nodes that have the version keep it, and canaries of the user return at the end", () => {
    const stages = stagesOf({ done: ["worker-2"] }, { canaries: ["worker-1", "gpu-1"] });
    expect(stages.map((stage) => listIn(stage, "canary"))).toEqual([
      ["gpu-1", "worker-2"],
      ["gpu-1", "worker-2", "worker-3"],
      ["worker-3", "worker-1", "gpu-1"],
      ["worker-1", "gpu-1"],
    ]);
    expect(stages.map((stage) => listIn(stage, "canaryAfter"))).toEqual([["worker-1", "gpu-1"], [], [], []]);
    expect(stages.map(({ remove }) => remove.includes("kubernetes.canaryAfter"))).toEqual([false, false, false, true]);
  });

  test("leave the canaries of a pause that stays", () => {
    const kept = { canaries: ["gpu-1", "worker-3"], keepsPause: true };
    const stages = stagesOf({ isRecorded: true, areJoined: true }, kept);
    expect(stages.map((stage) => listIn(stage, "canary"))).toEqual([["worker-3", "gpu-1"], ["gpu-1"]]);
    expect(stages.flatMap((stage) => listIn(stage, "canaryAfter"))).toEqual([]);
    expect(stages.flatMap(({ remove }) => remove)).not.toContain("kubernetes.canaryAfter");
  });
});

describe("canaries of the user", () => {
  const canaries = ["worker-2"];

  test("are recorded while an upgrade pauses, and do not change in it", () => {
    const change = { "kubernetes.hold.workers": "1.35.4", "kubernetes.canary[0]": "worker-1" };
    const [stage] = stagesOf(undefined, { change, canaries });
    expect(stage && [listIn(stage, "canary"), listIn(stage, "canaryAfter")]).toEqual([["worker-1"], ["worker-2"]]);
    const stages = stagesOf({}, { change: { "kubernetes.hold.gpu": "1.35.4" }, canaries });
    expect(listIn(stages[0]!, "canaryAfter")).toEqual(["worker-2"]);
    expect(listIn(stages.at(-1)!, "canary")).toEqual([]);
    expect(stages.at(-1)?.remove).not.toContain("kubernetes.canaryAfter");
  });

  test("return when the upgrade is resumed", () => {
    const ended = ["kubernetes.hold", "kubernetes.canary", "kubernetes.canaryAfter"];
    const [stage] = stagesOf(undefined, { ended, canaries });
    expect(stage).toMatchObject({ remove: ended, set: { "kubernetes.canary[0]": "worker-2" } });
    const surged = stagesOf({ isRecorded: true, areJoined: true }, { ended, canaries });
    expect(surged.map((one) => listIn(one, "canaryAfter"))).toEqual([["worker-2"], []]);
    expect(surged.at(-1)).toMatchObject({ set: { "kubernetes.canary[0]": "worker-2" } });
    expect(surged.at(-1)?.remove).toContain("kubernetes.canaryAfter");
    const [left] = stagesOf({ isRecorded: true, areJoined: true }, { ended, canaries, chain: [] });
    expect(left && [listIn(left, "canary"), listIn(left, "canaryAfter")]).toEqual([["worker-2"], []]);
  });

  test("stay in an upgrade that needs no others", () => {
    expect(stagesOf(undefined, { canaries })).toEqual([
      { title: "Changing to 1.36.3", remove: [], set: { "kubernetes.version": "1.36.3" } },
    ]);
  });
});

function listIn({ set }: ReturnType<typeof stagesOf>[number], property: string): unknown[] {
  return Object.entries(set).flatMap(([path, value]) => (path.startsWith(`kubernetes.${property}[`) ? [value] : []));
}

test("each stage is a valid configuration, which has the additional machine only while the pool changes", () => {
  const environment = { kubernetesVersions: ["1.36.3", "1.35.4"], fileExists: () => true };
  let kubernetes: Record<string, unknown> = { version: "1.35.4" };
  const machines = stagesOf({}).map(({ remove, set }) => {
    kubernetes = applied(kubernetes, remove, set);
    const config = parseConfig({ kubernetes, workers: { surge: 1 } }, environment);
    return poolsOf(config).flatMap((pool) => [pool.version, ...poolMachineNames(config, pool)]);
  });
  const workers = ["worker-1", "worker-2"];
  expect(machines).toEqual([
    ["1.35.4", ...workers],
    ["1.35.4", ...workers, "worker-3"],
    [undefined, ...workers, "worker-3"],
    [undefined, ...workers],
  ]);
});

/** The section after the change, as Pulumi applies paths of two or three parts. */
function applied(section: Record<string, unknown>, remove: readonly string[], set: object): Record<string, unknown> {
  const copy = structuredClone(section);
  const partsOf = (path: string) =>
    path
      .replace(/\[\d+\]$/, "")
      .split(".")
      .slice(1);
  for (const [name = "", key] of remove.map(partsOf)) {
    if (key === undefined) delete copy[name];
    else delete (copy[name] as Record<string, unknown> | undefined)?.[key];
  }
  for (const [path, value] of Object.entries(set)) {
    const [name = "", key] = partsOf(path);
    if (path.endsWith("]")) copy[name] = [...((copy[name] as unknown[] | undefined) ?? []), value];
    else if (key === undefined) copy[name] = value as unknown;
    else copy[name] = { ...(copy[name] as object | undefined), [key]: value as unknown };
  }
  return copy;
}
