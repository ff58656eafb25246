import { describe, expect, test } from "vitest";
import { expiryState, reportExpiry, warnOfExpiry } from "../../../../provider/kubeadm/certificate-expiry";
import type { CertificateKind, MachineCertificate } from "../../../../provider/kubeadm/certificates";

const DAY_MS = 86_400_000;

function certificate(
  daysLeft: number,
  parts: Partial<MachineCertificate> & { days?: number } = {},
): MachineCertificate {
  const { days = 365, ...rest } = parts;
  const end = new Date(Date.UTC(2027, 0, 1));
  return {
    node: "cp-1",
    machine: "cp-1 (10.0.0.1)",
    name: "apiserver",
    kind: "leaf",
    start: new Date(end.getTime() - days * DAY_MS),
    end,
    left: daysLeft * DAY_MS,
    fingerprint: "",
    ...rest,
  };
}

describe("the state of a certificate", () => {
  test.each([
    [31, "valid"],
    [29, "soon"],
    [8, "soon"],
    [6, "critical"],
    [0, "expired"],
    [-1, "expired"],
  ])("of a year with %d days left is %s", (left, state) => {
    expect(expiryState(certificate(left))).toBe(state);
  });

  test.each<[CertificateKind, number, string]>([
    ["leaf", 0.4, "valid"],
    ["leaf", 0.3, "soon"],
    ["leaf", 0.09, "critical"],
    ["rotated", 0.11, "valid"],
    ["rotated", 0.09, "soon"],
    ["rotated", 0.04, "critical"],
  ])("of kind %s and one day with %d days left is %s: it depends on the lifetime", (kind, left, state) => {
    expect(expiryState(certificate(left, { kind, days: 1 }))).toBe(state);
  });
});

test("certificates of a machine are reported together, the first one first, with what can be done", () => {
  const report = reportExpiry([
    certificate(29),
    certificate(3, { name: "admin.conf" }),
    certificate(12, { name: "etcd/peer" }),
    certificate(-2, { name: "kubelet client", kind: "rotated", machine: "worker-1", node: "worker-1" }),
    certificate(200, { name: "etcd/server" }),
  ]);
  expect(report.problems).toEqual([
    "cp-1 (10.0.0.1): certificate admin.conf ends in 3 days; " +
      "`npm start -- --refresh` renews control plane certificates",
    "worker-1: certificate kubelet client ended 2 days ago; " +
      "the kubelet should have renewed it: see `kubectl get csr`, and `journalctl -u kubelet` on the machine",
  ]);
  expect(report.warnings).toEqual([
    "cp-1 (10.0.0.1): certificates etcd/peer and apiserver end, the first in 12 days; " +
      "`npm start -- --refresh` renews control plane certificates",
  ]);
});

test("the kubelet's self-signed certificate is never a problem: the API server does not verify it", () => {
  const { problems, warnings } = reportExpiry([certificate(-1, { name: "kubelet serving", kind: "self-signed" })]);
  expect(problems).toEqual([]);
  expect(warnings.join()).toContain("kubelet serving ended 24 hours ago; only clients that verify the kubelet notice");
});

test("a refresh warns about both", () => {
  const lines: string[] = [];
  warnOfExpiry({ warn: (line) => lines.push(line) }, [certificate(1), certificate(20, { name: "admin.conf" })]);
  expect(lines).toHaveLength(2);
});
