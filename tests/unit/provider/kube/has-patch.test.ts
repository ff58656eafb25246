import { expect, test } from "vitest";
import { hasPatch } from "../../../../provider/kube/has-patch";
import { corednsPatch } from "../../../../render/coredns";

/** kubeadm's Deployment of CoreDNS, after the patch. */
const patched = (nodes: number) => {
  const { spec } = JSON.parse(JSON.stringify(corednsPatch({ nodes }))) as {
    spec: { template: { spec: { containers: object[]; topologySpreadConstraints: object[]; tolerations: object[] } } };
  };
  const pod = spec.template.spec;
  const [container] = pod.containers;
  return {
    spec: {
      replicas: 2,
      template: {
        spec: {
          ...pod,
          containers: [
            { image: "coredns:v1", ...container, readinessProbe: { periodSeconds: 1, failureThreshold: 3 } },
          ],
          topologySpreadConstraints: pod.topologySpreadConstraints.filter((one) => !("$patch" in one)),
        },
      },
    },
  };
};
const patchOf = (nodes: number) => ({ spec: corednsPatch({ nodes }).spec });

test.each([1, 3])("CoreDNS of %i nodes has its own patch", (nodes) => {
  expect(hasPatch(patched(nodes), patchOf(nodes))).toBe(true);
});

test("a Deployment of one node lacks the spread of several, and the other way round", () => {
  expect(hasPatch(patched(1), patchOf(3))).toBe(false);
  expect(hasPatch(patched(3), patchOf(1))).toBe(false);
});

test.each<[string, unknown, unknown, boolean]>([
  ["a value that differs", { a: 1 }, { a: 2 }, false],
  ["a missing object", {}, { a: { b: 1 } }, false],
  ["fields of others", { a: 1, b: 2 }, { a: 1 }, true],
  ["an element that another list has", { a: [{ name: "x", v: 1 }] }, { a: [{ name: "x", v: 2 }] }, false],
  ["a replaced list with more elements", { a: [1, 2] }, { a: [{ $patch: "replace" }, 1] }, false],
  ["a list that is absent and must be empty", {}, { a: [{ $patch: "replace" }] }, true],
  ["an object in place of a list", { a: {} }, { a: [1] }, false],
])("%s", (_what, live, patch, expected) => {
  expect(hasPatch(live, patch)).toBe(expected);
});
