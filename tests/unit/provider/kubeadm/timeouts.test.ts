import { expect, test } from "vitest";
import { withPatience } from "../../../../provider/kubeadm/timeouts";

const document: { kind: string; timeouts?: { kubernetesAPICall?: string } } = { kind: "InitConfiguration" };

test("kubeadm's own deadlines are multiplied by the patience", () => {
  expect(withPatience(document, 10)).toEqual({
    kind: "InitConfiguration",
    timeouts: {
      controlPlaneComponentHealthCheck: "2400s",
      kubeletHealthCheck: "2400s",
      kubernetesAPICall: "600s",
      etcdAPICall: "1200s",
    },
  });
});

test("configured deadlines stay", () => {
  const configured = { ...document, timeouts: { kubernetesAPICall: "5s" } };
  expect(withPatience(configured, 2).timeouts).toMatchObject({ kubernetesAPICall: "5s" });
});

test("without patience the document is unchanged", () => {
  expect(withPatience(document, 1)).toBe(document);
});
