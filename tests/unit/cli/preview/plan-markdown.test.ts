import { expect, test } from "vitest";
import type { Plan } from "../../../../cli/preview/plan";
import { planMarkdown } from "../../../../cli/preview/plan-markdown";

const COUNTS = { created: 0, recreated: 0, removed: 0, changed: 1, files: 1, restarts: 0, drains: 0, resources: 1 };
const planOf = (changes: string[], more: Partial<Plan> = {}): Plan => ({
  disruptions: [],
  notices: [],
  machines: [{ machine: "worker-1", outcome: "changed", changes }],
  counts: COUNTS,
  ...more,
});

test("has the totals, the notes, and the changes of each machine in a part that opens", () => {
  expect(planMarkdown("dev", planOf(["/etc/x changes"], { notices: ["worker-1 was *rebooted* by @anna"] }))).toBe(
    [
      "### Kubewright preview of stack dev",
      "",
      "**1 machine: 1 changed; 1 file changes (1 resource)**",
      "",
      "**Notes**",
      "",
      "- worker-1 was &#42;rebooted&#42; by &#64;anna",
      "",
      "<details><summary>Changes by machine</summary>",
      "",
      "```text",
      "worker-1",
      "  /etc/x changes",
      "```",
      "",
      "</details>",
      "",
    ].join("\n"),
  );
});

test("a plan without changes is one line", () => {
  const plan = planOf([], { machines: [], counts: { ...COUNTS, changed: 0, resources: 0 } });
  expect(planMarkdown("dev", plan).trimEnd().split("\n")).toHaveLength(3);
});

test("a file on a machine cannot end the code block", () => {
  const lines = planMarkdown("dev", planOf(["+```", "+<script>"])).split("\n");
  expect(lines.filter((line) => line === "````" || line === "````text")).toHaveLength(2);
});

test("is shorter than the longest comment of GitHub", () => {
  const text = planMarkdown("dev", planOf(Array<string>(10_000).fill("/etc/x changes")));
  expect(text.length).toBeLessThan(65_536);
  expect(text).toContain("</details>");
});
