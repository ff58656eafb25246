import { expect, test } from "vitest";
import { describeProgress } from "../../../../provider/kube/drain-report";

const pod = (name: string) => ({ metadata: { name, namespace: "default" } });
const progress = (pods: string[], volumes: string[]) =>
  describeProgress("worker-1", { remaining: pods.map(pod), volumes, refusals: [] });

test("a status line counts pods and volumes in singular and plural", () => {
  expect(progress(["a", "b"], ["v", "w"])).toBe("draining worker-1: 2 pods remaining; 2 volumes still attached");
  expect(progress(["a"], ["v"])).toBe("draining worker-1: 1 pod remaining; 1 volume still attached");
});
