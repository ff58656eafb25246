import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { planFrom } from "../../../../cli/preview/plan";
import { planText } from "../../../../cli/preview/plan-text";
import { event, on, previewOf } from "./steps";

const plan = (...events: readonly StepEventMetadata[]) => planText(planFrom(previewOf(...events)));

describe("several control planes", () => {
  const machine = (op: string, name: string) => [
    event(op, "docker:Machine", name, { current: {}, desired: {}, keys: ["image"] }),
    event(op, "host:Host", `${name}-host`, { current: on(name), desired: on(name) }),
    event("same", "kubeadm:ControlPlane", `${name}-control-plane`, { current: on(name), desired: on(name) }),
  ];
  const recreated = "create-replacement";

  test("are lost if none of them stays", () => {
    const output = plan(...["control-plane-1", "control-plane-2"].flatMap((name) => machine(recreated, name)));
    expect(output).toContain(
      "DISRUPTIONS:\n  everything in the cluster is LOST: " +
        "none of its control planes control-plane-1 and control-plane-2 stays in this run",
    );
  });

  test("live on if one stays, whichever it is", () => {
    const output = plan(...machine(recreated, "control-plane-1"), ...machine("same", "control-plane-2"));
    expect(output).toContain("control-plane-1 leaves the control plane, is drained, and its machine is recreated");
    expect(output).not.toContain("LOST");
  });

  test("restart their API servers one after the other when certificates are renewed, and say why", () => {
    const renewal = (name: string, problem: string | undefined, ...paths: string[]) =>
      event("update", "kubeadm:ControlPlane", `${name}-control-plane`, {
        current: { ...on(name), ...(problem === undefined ? {} : { problem }) },
        desired: on(name),
        paths,
      });
    const found = "certificates apiserver and etcd/peer end, the first in 12 days; /etc/x.yaml was changed";
    const output = plan(
      ...["control-plane-1", "control-plane-2", "control-plane-3"].flatMap((name) => machine("same", name).slice(0, 2)),
      renewal("control-plane-1", found, "problem", "renewAfter"),
      renewal("control-plane-2", undefined, "renewAfter"),
      renewal("control-plane-3", "certificate scheduler.conf ends in 3 days", "problem"),
    );
    expect(output).toContain("certificates apiserver and etcd/peer end, the first in 12 days: renewed");
    expect(output).toContain("/etc/x.yaml was changed: repaired");
    expect(output).toContain("the API server of control-plane-1 restarts");
    expect(output).toContain("certificates end soon by the state: renewed, unless the timer has done so since");
    expect(output).toMatch(
      /control-plane-2 restarts .*, because by the state its certificates end soon, unless the timer/,
    );
    expect(output).toContain("certificate scheduler.conf ends in 3 days: renewed");
    expect(output).not.toContain("the API server of control-plane-3");
  });

  test("of an older stack get a membership for the first one, which is a node already", () => {
    const own = on("control-plane-1");
    const output = plan(
      ...machine("same", "control-plane-1"),
      event("create", "kubeadm:Join", "control-plane-1-join", { desired: own }),
      event("same", "kube:Node", "control-plane-1-node", { current: own, desired: own }),
    );
    expect(output).toContain("the machine becomes a member of the cluster, unless it is one already");
    expect(output).toContain("1 machine: 1 changed (1 resource)");
  });
});
