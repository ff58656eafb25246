import { expect, test } from "vitest";
import { drawLadder } from "../../../render/ladder-drawing";
import { RUNGS } from "../../../render/rung";
import { golden } from "./samples";

const scene = { machines: ["control-plane-1", "worker-1"], runtime: "containerd", runAs: "static-pods" } as const;

test("every rung on two machines", async () => {
  await expect(RUNGS.map((rung) => drawLadder({ ...scene, rung })).join("\n")).toMatchFileSnapshot(
    golden("ladder/two-machines.txt"),
  );
});

test("one machine with Docker and services", async () => {
  const drawing = drawLadder({
    rung: "controllers",
    machines: ["control-plane-1"],
    runtime: "docker",
    runAs: "systemd",
  });
  await expect(drawing).toMatchFileSnapshot(golden("ladder/docker-systemd.txt"));
});

test("each rung adds something, and a long name does not break the box", () => {
  for (const rung of RUNGS) expect(drawLadder({ ...scene, rung })).toContain("●");
  const lines = drawLadder({ ...scene, machines: ["x".repeat(63)], rung: "dns" })
    .split("\n")
    .slice(1, -1);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});
