import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { planFrom } from "../../../../cli/preview/plan";
import { planText } from "../../../../cli/preview/plan-text";
import { atRest, event, previewOf } from "./steps";

const plan = (...events: readonly StepEventMetadata[]) => planText(planFrom(previewOf(...events)));

describe("another version of the kubelet", () => {
  const node = (version: string, pool = "workers") => ({ node: "worker-1", version, pool, program: version });
  const upgrade = (from: string, to: string, pool?: string) =>
    plan(
      ...atRest(),
      event("update", "kube:Node", "worker-1-node", {
        current: node(from, pool),
        desired: node(to, pool),
        paths: ["version", "program"],
      }),
    );

  test("drains a worker for another minor version", () => {
    const output = upgrade("1.35.4", "1.36.3");
    expect(output).toContain(
      "DISRUPTIONS:\n  worker-1 is drained, and its kubelet is replaced, " +
        "because version changes from 1.35.4 to 1.36.3\n",
    );
    expect(output).toContain("  the kubelet of worker-1 changes from 1.35.4 to 1.36.3\n");
  });

  test("is no disruption for a patch release, and on a control plane", () => {
    expect(upgrade("1.35.4", "1.35.5")).not.toContain("DISRUPTIONS");
    expect(upgrade("1.35.4", "1.36.3", "control-plane")).not.toContain("DISRUPTIONS");
    expect(upgrade("1.35.4", "1.35.4")).not.toContain("kubelet");
  });

  test("is placed by the node, so that its unit does not restart for it", () => {
    const unit = { unit: "kubelet.service", files: {}, enabled: true, running: true, keepsProgram: true };
    const output = plan(
      ...atRest(),
      event("update", "host:Unit", "worker-1-kubelet", {
        current: { ...unit, restartOn: { kubelet: "a" } },
        desired: { ...unit, restartOn: { kubelet: "b" } },
        paths: ["restartOn.kubelet"],
      }),
    );
    expect(output).not.toContain("kubelet.service restarts");
  });
});
